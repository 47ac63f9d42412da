#!/usr/bin/env python3
"""Switches on one deliberate mistake of the commit and recovery code at a time (HUILIU_MUTANT) and
says which test catches it. Fails if a mutant lives, or if a test fails without any.

Needs the preset `mutants`: cmake --preset mutants && cmake --build --preset mutants
"""
import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Name -> (the mistake, the tests to try, most likely first).
MUTANTS = {
    "state.drop_dirty": ("a changed entry is left out of the frozen set", ["state"]),
    "state.tombstone_lost": ("a deletion is written as an empty value", ["state"]),
    "state.filter_forgets": ("keys of a generation are missing in its filter", ["state"]),
    "state.flush_uncommitted": ("a table's changes reach disk before their epoch", ["state"]),
    "state.trim_early": ("the changelog is trimmed before the flush is on disk", ["state", "simulation", "credit"]),
    "state.overwrite_ingested": ("a file that is a table's already is written again", ["state"]),
    "state.replay_skips_last": ("recovery leaves out the last epoch's changes", ["state"]),
    "state.get_unchecked": ("a row that cannot be read is as if it were none", ["state"]),
    "state.scan_skips_memory": ("reading in order passes over the newest rows in memory", ["state"]),
    "state.scan_unchecked": ("a row that cannot be read is taken for the end of those in order", ["state"]),
    "state.replay_unchecked": ("a start takes a table that it could read in part", ["state"]),
    "state.sums_unchecked": ("files of different moments are taken", ["state"]),
    "state.last_epoch_unread": ("a log that was cut is taken", ["state"]),
    "state.mark_lost": ("a table's files do not say up to which epoch they are", ["state"]),
    "state.footers_unseen": ("footers of table files are not looked at", ["state"]),
    "state.ends_unread": ("a file is taken over whose first and last row may not be readable", ["state"]),
    "state.flushes_for_ever": ("writing out is tried again though the damage does not pass", ["state"]),
    "commit.unsynced": ("the epoch's write is not synced", ["simulation", "credit"]),
    "epoch.commit_before_files": ("the epoch commits before its files are synced", ["simulation", "bench"]),
    "epoch.lost_barrier": ("tables miss every second barrier", ["engine", "simulation", "bench"]),
    "epoch.position_early": ("positions of slices behind the epoch are saved", ["engine", "simulation", "bench"]),
    "epoch.position_lost": ("every second epoch saves no positions", ["engine", "simulation", "bench"]),
    "count.keeps_deleted": ("a count adds what is taken back", ["operators"]),
    "exchange.change_lost": ("an exchange makes inserts of all records", ["changes"]),
    "exchange.lost_row": ("an exchange loses the last row of a part", ["engine", "simulation", "bench"]),
    "intake.unsynced": ("what is sent is acknowledged before it is on disk", ["intake"]),
    "intake.unsynced_name": ("the name of a new file of an intake is not synced", ["intake"]),
    "intake.unsynced_start": ("what a start finds counts though it is not on disk", ["intake"]),
    "intake.goes_on_after_failure": ("after a write that failed the next goes to the same file", ["intake"]),
    "intake.trimmed_early": ("entries are removed before they are committed", ["intake"]),
    "intake.keys_unread": ("a start does not know the keys of what is there", ["intake"]),
    "intake.keys_lost": ("keys go with the entries", ["state"]),
    "intake.group_ignored": ("what is damaged passes for a torn tail", ["state"]),
    "join.keeps_deleted": ("a join keeps rows that are taken back", ["operators"]),
    "order.by_thread": ("an exchange takes one thread's records after the other's", ["property"]),
    "order.sink_by_thread": ("a sink takes one thread's records after the other's", ["property"]),
    "order.no_shard": ("what threads make of their state has no order of time and shards", ["property"]),
    "append.half_line": ("a log's last line is taken before it is whole", ["live_folder"]),
    "append.key_by_name": ("a log is known by its name, not by what it begins with", ["live_folder"]),
    "folders.unsynced": ("names of new folders are not synced", ["folders"]),
    "file.grown_again": ("a file that has grown is read from its start", ["live_folder"]),
    "file.no_truncate": ("a file is not cut back to its committed length", ["bench"]),
    "file.position_early": ("a file's length is saved before its bytes are written", ["bench"]),
    "file.report_unsaved": ("what was said of a file is not saved with what is said", ["live_folder"]),
    "file.unsynced": ("a file is not synced before its length is committed", ["bench"]),
    "outbox.trim_early": ("the outbox is trimmed before its delivery", ["simulation", "credit"]),
    "outbox.delivered_early": ("what an epoch adds is committed as delivered", ["push"]),
    "outbox.resume_late": ("delivery resumes one entry too late", ["engine", "simulation", "credit"]),
    "pause.one_more": ("a slice is taken though a pause is in force", ["engine"]),
    "pause.told_early": ("a pause is said to be in force before what was read is committed", ["engine"]),
    "drain.undelivered": ("a drain ends before stores have what is committed", ["engine"]),
    "kafka_intake.key_forgotten": ("a key that is known is taken again", ["topic_intake", "connectors"]),
    "kafka_intake.repeated_given": ("what repeats an entry of the topic is given too", ["topic_intake", "connectors"]),
    "kafka_intake.trimmed_early": ("an intake's topic is trimmed before its entries are committed", ["connectors"]),
    "kafka_intake.one_ack": ("an entry is acknowledged though no broker has said that it has it", ["topic_intake"]),
    "postgres.no_overlap": ("a pass begins behind the greatest stamp, whatever commits late", ["front"]),
    "postgres.seen_forgotten": ("what was given within the overlap is given again", ["front"]),
    "postgres.flag_early": ("a flag is set before its row is committed", ["front"]),
    "receipts.lost": ("a delivery moves on without keeping its receipts", ["push"]),
    "receipts.other_key": ("receipts of what is delivered again have another key", ["push"]),
    "receipts.half_forgotten": ("receipts whose rejects are still to come are given again", ["push"]),
    "refused.not_removed": ("a row that is accepted now stays among the refused", ["rejudge"]),
    "rejudge.all_rows": ("rows that are not selected are judged again too", ["engine", "rejudge"]),
    "rejudge.forgets": ("a rejudgement that was killed begins anew", ["rejudge"]),
    "sink.reject_lost": ("a record that a sink refuses goes nowhere", ["engine"]),
    "postgres.position_separately": ("rows and position are two transactions", ["postgres"]),
    "postgres.not_fenced": ("a process goes on though another one has written what it has", ["postgres_zombie"]),
    "sqlite.position_apart": ("rows and position are two transactions", ["credit"]),
    "time.control_early": ("a worker tells a time before the rows that belong to it", ["simulation_kafka"]),
    "time.control_lost": ("a worker tells the times of its shards once and never again", ["simulation_kafka"]),
    "time.ended_holds": ("a split that has ended still holds up time", ["engine"]),
    "time.idle_holds": ("a split that is idle still holds up time", ["engine"]),
    "time.table_unsaved": ("what other workers have told of times is not saved", ["simulation_kafka"]),
    "time.unsaved": ("the times of splits are not saved", ["engine", "simulation_kafka"]),
    "kafka.change_lost": ("records between workers all become inserts", ["connectors"]),
    "time.held_untold": ("a worker tells a time though rows of before are yet to be made", ["engine", "simulation_kafka"]),
    "windows.held_ignored": ("windows close though rows of the ones before are yet to be made", ["engine", "property"]),
    "windows.eviction_forgets": ("a count that has left the memory is not looked for in the table", ["operators", "property"]),
    "metrics.arrival_unsaved": ("the last arrivals of departments are not kept", ["metrics"]),
    "kafka.applied_early": ("the local copy takes the epoch before Kafka has committed it", ["simulation_kafka", "kafka"]),
    "kafka.cut_ignored": ("a restore goes on although the topic has lost its beginning", ["mistakes"]),
    "kafka.marker_before_fence": ("the last epoch is read before the predecessor is fenced", ["simulation_kafka", "kafka"]),
    "kafka.not_fenced": ("each process has a transactional id of its own", ["simulation_kafka", "kafka"]),
    "kafka.outputs_early": ("outputs are committed before their positions", ["simulation_kafka", "kafka"]),
    "kafka.position_without_changes": ("the local copy notes how far a changelog is applied, but not its rows", ["simulation_kafka", "kafka"]),
    "kafka.positions_after_commit": ("positions are in a transaction of their own, after the epoch's", ["simulation_kafka", "kafka"]),
    "kafka.queue_of_another": ("partitions of a source come to another one that shares its client", ["connectors", "simulation_kafka"]),
    "kafka.reads_again": ("reading goes on before the committed position", ["simulation_kafka", "kafka"]),
    "kafka.reads_ahead": ("reading goes on behind the committed position", ["simulation_kafka", "kafka"]),
    "kafka.restore_forgets": ("a restore leaves out some keys", ["simulation_kafka", "kafka"]),
    "kafka.restored_early": ("a restore notes how far it is before its rows are on disk", ["kafka"]),
    "kafka.row_lost": ("some rows do not reach the changelog", ["kafka"]),
    "kafka.tail_skipped": ("a local copy is not brought up to the last epoch", ["simulation_kafka", "kafka"]),
    "kafka.uncommitted_restored": ("a restore takes in what was aborted", ["simulation_kafka", "kafka"]),
    "kafka.marks_not_counted": ("marks of transactions that were deleted count as messages", ["mistakes"]),
    "kafka.policy_not_checked": ("topics of the state may have a retention", ["mistakes"]),
    "kafka.replicas_not_counted": ("a topic that waits for replicas is not looked for", ["mistakes"]),
    "kafka.unknown_for_ever": ("an error that nobody knows is tried again for ever", ["connectors"]),
    "kafka.no_member": ("workers send offsets without being checked as members of the group", ["simulation_kafka", "zombies"]),
    "kafka.open_ignored": ("a new owner does not wait for transactions that are open", ["simulation_kafka", "workers"]),
    "kafka.wrong_shard": ("rows go to the changelog's partition of another shard", ["simulation_kafka", "kafka"]),
}


class Tests:
    def __init__(self, build: Path, work: Path, limit_s: int):
        self.build = build
        self.limit_s = limit_s
        self.work = work
        self.lines = work / "lines.ndjson"
        self.departments = work / "departments"
        self.check([build / "bench/credit/credit_generator", "60000", "1", self.lines])
        self.check([build / "tools/credit_sample/credit_sample", "--seed", "7", "--rows", "5000",
                    "--out", self.departments])

    @staticmethod
    def check(command):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def command(self, test: str) -> list:
        if test == "state":
            return [self.build / "state/huiliu_state_test"]
        if test == "intake":
            return [self.build / "tests/simulation/huiliu_intake_simulation", "--seeds", "5000"]
        if test == "operators":
            return [self.build / "operators/huiliu_operators_test", "--gtest_filter=WindowCount*:Count*:Join*"]
        if test == "metrics":
            return [self.build / "connectors/metrics/huiliu_metrics_test"]
        if test == "connectors":
            return [self.build / "connectors/kafka/huiliu_kafka_test", "--gtest_filter=Kafka*:Repartition*:Intake*"]
        if test == "engine":
            return [self.build / "runtime/huiliu_runtime_test", "--gtest_filter=EngineTest.*:*InputTest.*:TimelineTest.*:HoldBackTest.*"]
        if test == "simulation":
            return ["bash", ROOT / "tests/simulation/simulation.sh",
                    self.build / "tests/simulation/huiliu_simulation",
                    self.build / "bench/credit/credit_generator"]
        if test == "folders":
            return [sys.executable, ROOT / "tests/crash/new_folders_test.py", self.build / "cli/huiliu",
                    next((self.build / "tests").glob("*huiliu_faulty_disk.so"))]
        if test == "property":
            return [self.build / "tests/property/huiliu_property", "--seeds", "60"]
        if test == "live_folder":
            return [sys.executable, ROOT / "tests/live_folder_test.py", self.build / "cli/huiliu", "--seconds", "20"]
        if test == "push":
            return ["/usr/bin/python3", ROOT / "tests/http/push_test.py", self.build / "cli/huiliu"]
        if test == "topic_intake":
            return ["/usr/bin/python3", ROOT / "tests/kafka/topic_intake_test.py", self.build / "cli/huiliu"]
        if test == "front":
            return ["/usr/bin/python3", ROOT / "tests/postgres/source_test.py", self.build / "cli/huiliu"]
        if test == "rejudge":
            return ["/usr/bin/python3", ROOT / "tests/rejudge_test.py", self.build / "cli/huiliu",
                    self.build / "tools/credit_sample/credit_sample", "4"]
        if test == "simulation_kafka":
            return ["bash", ROOT / "tests/simulation/kafka.sh", self.build / "tests/simulation/huiliu_kafka_simulation",
                    "--again-every", "0"]
        if test == "kafka":
            return ["/usr/bin/python3", ROOT / "tests/kafka/crash_test.py", "--huiliu",
                    self.build / "cli/huiliu", "--kills", "40", "--broker-kills", "1", "--zombies",
                    "2", "--takeovers", "4", "--records", "100000"]
        if test in ("postgres", "postgres_zombie"):
            scenarios = ["killed_at_steps"] if test == "postgres" else ["zombie"]
            return ["/usr/bin/python3", "-B", ROOT / "tests/postgres/sink_test.py", self.build / "cli/huiliu", *scenarios]
        if test == "changes":
            return ["/usr/bin/python3", ROOT / "tests/kafka/changes_test.py", "--huiliu", self.build / "cli/huiliu",
                    "one", "--seconds", "6", "--records", "4000"]
        if test == "mistakes":
            return ["/usr/bin/python3", ROOT / "tests/kafka/mistakes_test.py", "--huiliu", self.build / "cli/huiliu"]
        if test in ("workers", "zombies"):
            # A mutant shows in one kind of event only.
            event = "replace_one" if test == "zombies" else "abandon_one"
            return ["/usr/bin/python3", ROOT / "tests/kafka/workers_test.py", "--huiliu",
                    self.build / "cli/huiliu", "--seconds", "100", "--every", "2", "--records",
                    "100000", "--events", event]
        command = [sys.executable, ROOT / "tests/crash/crash_test.py", "--kills", "40", "--threads",
                   "2", "--huiliu", self.build / "cli/huiliu", "--disk",
                   next((self.build / "tests").glob("*huiliu_faulty_disk.so"))]
        if test == "bench":
            return command + ["--topology", ROOT / "topologies/bench-credit/topology.yaml",
                              "--input", self.lines]
        return command + ["--topology", ROOT / "topologies/credit/topology.yaml", "--input",
                          self.departments, "--memory", "1MiB", "--every-step"]

    def environment(self, test: str, mutant: str) -> dict:
        seeds = "3000" if test == "simulation_kafka" else "60"
        return dict(os.environ, HUILIU_MUTANT=mutant, TMPDIR=str(self.work), SEEDS=seeds)

    def passes(self, test: str, mutant: str = "") -> bool:
        env = self.environment(test, mutant)
        with open(self.work / "last.txt", "wb") as log:
            try:
                return subprocess.run(self.command(test), env=env, cwd=ROOT, stdout=log, stderr=log,
                                      timeout=self.limit_s).returncode == 0
            except subprocess.TimeoutExpired:
                log.write(f"\nhangs: {test} has not ended after {self.limit_s} s\n".encode())
                return False

    def last_line(self) -> str:
        lines = (self.work / "last.txt").read_text(errors="replace").split("\n")
        telling = [line for line in lines if "Failure" in line or "differ" in line
                   or line.startswith(("seed ", "DIFFERENCE", "FAILED")) or "error:" in line
                   or "hangs" in line or "first difference" in line or "Assertion" in line]
        telling.sort(key=lambda line: not (line.startswith(("DIFFERENCE", "FAILED", "hangs"))
                                           or ", expected " in line or line.endswith(": Failure")))
        return (telling or [line for line in lines if line.strip()] or [""])[0].strip()[:150]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("mutants", nargs="*", help="default: all")
    parser.add_argument("--build", type=Path, default=ROOT / "build/mutants")
    parser.add_argument("--limit", type=int, default=300, metavar="SECONDS",
                        help="a test that takes longer has failed (%(default)s; more on a busy machine)")
    args = parser.parse_args()
    chosen = args.mutants or list(MUTANTS)
    lives = []
    with tempfile.TemporaryDirectory(prefix="huiliu-mutants-") as folder:
        os.chmod(folder, 0o755)  # live_folder runs as nobody
        tests = Tests(args.build.resolve(), Path(folder), args.limit)
        for test in sorted({test for name in chosen for test in MUTANTS[name][1]}):
            if not tests.passes(test):
                raise SystemExit(f"{test} fails without a mutant: {tests.last_line()}")
            print(f"without a mutant: {test} passes", flush=True)
        for name in chosen:
            mistake, tries = MUTANTS[name]
            caught = next((test for test in tries if not tests.passes(test, name)), None)
            if caught is None:
                lives.append(name)
            print(f"{name}: {mistake}: " + (f"caught by {caught} ({tests.last_line()})" if caught
                                            else "LIVES"), flush=True)
    print(f"{len(chosen) - len(lives)} of {len(chosen)} mutants caught")
    return 1 if lives else 0


if __name__ == "__main__":
    sys.exit(main())
