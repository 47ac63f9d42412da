"""What every sink that is fed after the commit must hold, on a server of its own (target.py).

A sink's test makes a Target, calls run_contract() and adds what is special to its server. Each scenario takes an empty
server, runs job.py's topology through a fault, and compares the tables with what the input says must be in them.
"""
import random
import shutil
import subprocess
import time
from pathlib import Path

from job import END_S, Job, expected, make_rows, terminate
from proxy import LosingProxy

ENGINE_STEPS = ["outbox.before_apply", "outbox.after_apply"]
ROWS = 30_000
MANY = 150_000  # so that a fault meets a run that has not ended


class Contract:
    def __init__(self, huiliu: Path, work: Path, target, seed: int, kills: int):
        self.huiliu, self.work, self.target, self.kills = huiliu, work, target, kills
        self.rng = random.Random(seed)
        self.rows, self.many = make_rows(ROWS), make_rows(MANY, 2)
        self.wanted = {len(rows): expected(rows) for rows in (self.rows, self.many)}
        self.took = 1.0
        self.number = 0

    def job(self, rows: list = None, port: int = 0) -> Job:
        self.number += 1
        self.target.empty()
        return Job(self.huiliu, self.work / f"job{self.number}", self.target, rows or self.rows, port)

    def finish(self, job: Job) -> None:
        job.check(self.wanted[len(job.rows)])
        shutil.rmtree(job.folder)

    # --- scenarios --------------------------------------------------------------------------------------

    def whole(self) -> str:
        """Rows are what the input says, and a second run adds nothing."""
        job = self.job()
        begun = time.monotonic()
        job.run_to_end()
        self.took = time.monotonic() - begun
        job.check(self.wanted[ROWS])
        job.run_to_end()
        self.finish(job)
        return f"{len(self.rows)} rows in {self.took:.1f} s"

    def killed_at_steps(self) -> str:
        """SIGKILL at each step of the commit, first and later passes."""
        steps = ENGINE_STEPS + self.target.failpoints
        for step in steps:
            job = self.job()
            for passes in (1, 2, 3):
                code = job.start(HUILIU_CRASH_AT=f"{step}:{passes}").wait(END_S)
                assert code == -9 or (code == 0 and passes > 1), f"{step}:{passes} was not reached (code {code})\n{job.log()}"
            job.run_to_end()
            self.finish(job)
        return ", ".join(steps)

    def killed_at_random(self) -> str:
        done = passes = 0
        while done < self.kills:
            job, ended = self.job(), False
            passes += 1
            while not ended and done < self.kills:
                process = job.start()
                try:
                    ended = process.wait(self.rng.uniform(0.02, self.took)) == 0
                    assert ended, f"a run ended with {process.returncode}\n{job.log()}"
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    done += 1
            if not ended:
                job.run_to_end()
            self.finish(job)
        return f"{done} kills in {passes} passes"

    def server_killed(self) -> str:
        """The server is killed and comes back, again and again."""
        job = self.job(self.many)
        process, kills = job.start(), 0
        while process.poll() is None and kills < 5:
            time.sleep(self.rng.uniform(0.05, self.took / 2))
            if process.poll() is not None:
                break
            self.target.kill()
            kills += 1
            time.sleep(self.rng.uniform(0, 0.5))
            self.target.start()
        assert process.wait(END_S) == 0, job.log()
        assert kills > 0, "the run ended before the first kill"
        self.finish(job)
        return f"{kills} kills of the server"

    def server_frozen(self) -> str:
        """A stop while the server is frozen ends in time; what was undelivered comes with the next start."""
        job = self.job(self.many)
        process = job.start()
        time.sleep(self.took / 3)
        self.target.freeze()
        try:
            time.sleep(0.5)
            begun = time.monotonic()
            code = terminate(process)
            seconds = time.monotonic() - begun
        finally:
            self.target.thaw()
        assert code in (0, 130), (code, job.log())
        process = job.start()
        time.sleep(self.took / 4)
        self.target.freeze()
        time.sleep(8)
        self.target.thaw()
        assert process.wait(END_S) == 0, job.log()
        self.finish(job)
        return f"stopped within {seconds:.1f} s"

    def answers_lost(self) -> str:
        """The server has committed, and the sink does not hear of it."""
        proxy = LosingProxy(self.target.port, self.target.commit_request)
        try:
            job = self.job(self.many, proxy.port)
            process = job.start()
            while process.poll() is None and proxy.lost < 5:
                if proxy.to_lose == 0:
                    proxy.to_lose = 1
                time.sleep(0.05)
            proxy.to_lose = 0
            assert process.wait(END_S) == 0, job.log()
            assert proxy.lost > 0, "no commit went through the proxy"
            self.finish(job)
            return f"{proxy.lost} answers lost"
        finally:
            proxy.close()

    def away_at_start(self) -> str:
        """A run begins without the server, reads its input, can be stopped, and delivers when the server comes."""
        job = self.job()
        self.target.kill()
        try:
            process = job.start()
            time.sleep(1.5)
            assert process.poll() is None, job.log()
            code = terminate(process)
            assert code in (0, 130), (code, job.log())
            assert "records wait in the outbox" in job.whole_log(), job.log()
            process = job.start()
            time.sleep(1)
        finally:
            self.target.start()
        assert process.wait(END_S) == 0, job.log()
        self.finish(job)
        return "stopped and delivered"

    def memory(self) -> str:
        """Four times as many rows take no more memory. kB of the highest resident set."""
        peaks = []
        for count in (150_000, 600_000):
            self.target.empty()
            folder = self.work / f"memory{count}"
            folder.mkdir()
            sink = self.target.sink("rows", "many", ["n", "key"], key="n")
            (folder / "topology.yaml").write_text(
                f"topology: many\nepoch: 50ms\nparallelism: 1\nrejects: rejected\nsources:\n  rows: {{type: generate, count: {count}, fields: "
                f"[{{name: n, sequence: {{}}}}, {{name: key, zipf: {{keys: 5000}}}}]}}\nsinks:\n  out: {sink}\n  rejected: {{type: blackhole}}\n")
            with open(folder / "log.txt", "wb") as log:
                process = subprocess.Popen([self.huiliu, "run", "-q", "topology.yaml"], cwd=folder, stdout=log, stderr=log)
            peak = 0
            while process.poll() is None:
                status = Path(f"/proc/{process.pid}/status").read_text()
                peak = max([peak] + [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")])
                time.sleep(0.02)
            assert process.returncode == 0, (folder / "log.txt").read_text()
            assert len(self.target.rows("many", ["n"])) == count
            peaks.append(peak)
            shutil.rmtree(folder)
        assert peaks[1] < peaks[0] * 1.3 + 40_000, peaks
        return " and ".join(f"{peak // 1024} MiB" for peak in peaks)


SCENARIOS = ["whole", "killed_at_steps", "killed_at_random", "server_killed", "server_frozen", "answers_lost", "away_at_start",
             "memory"]


def run_contract(contract: Contract, chosen: list) -> None:
    for name in SCENARIOS:
        if chosen and name not in chosen:
            continue
        begun = time.monotonic()
        said = getattr(contract, name)()
        print(f"{contract.target.name} {name}: {said} ({time.monotonic() - begun:.0f} s)", flush=True)
