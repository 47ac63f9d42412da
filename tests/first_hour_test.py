"""What a newcomer does: `huiliu new`, validate, test, run, reset; and what these commands refuse. usage: first_hour_test.py HUILIU"""
import json
import pathlib
import signal
import subprocess
import sys
import tempfile

HUILIU = str(pathlib.Path(sys.argv[1]).resolve())


def huiliu(*command, cwd, code=0, **more):
    ended = subprocess.run([HUILIU, *command], cwd=cwd, capture_output=True, text=True, **more)
    assert ended.returncode == code, f"{command}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
    return ended


def check_template(name, folder):
    made = huiliu("new", "mine", "--template", name, cwd=folder).stdout
    commands = [line.split()[1:] for line in made.splitlines() if line.startswith("  huiliu ")]
    assert [command[0] for command in commands] == ["validate", "test", "run"], made
    outputs = [huiliu(*command, cwd=folder) for command in commands]
    assert (folder / "mine" / "README.md").exists()
    refused = huiliu("new", "mine", cwd=folder, code=2)
    assert "no empty folder" in refused.stderr, refused.stderr
    return outputs[-1].stdout


def check_reset(folder):
    topology = "mine/topology.yaml"
    rows = (folder / "mine/out/by_dept.ndjson").read_text()
    asked = huiliu("reset", topology, cwd=folder, code=1, input="n\n").stdout
    assert "epoch" in asked and "stays: what sink by_dept (file) wrote" in asked and "nothing was removed" in asked, asked
    assert (folder / "mine/state/CURRENT").exists()
    (folder / "mine/state/notes.txt").write_text("mine")
    refused = huiliu("reset", "--yes", topology, cwd=folder, code=2)
    assert "'notes.txt', which is no part of a state" in refused.stderr, refused.stderr
    (folder / "mine/state/notes.txt").unlink()
    other = (folder / topology).read_text().replace("topology: fines", "topology: others")
    (folder / "mine/others.yaml").write_text(other)
    assert "belongs to" in huiliu("reset", "--yes", "mine/others.yaml", cwd=folder, code=2).stderr
    huiliu("reset", "--yes", topology, cwd=folder)
    assert not (folder / "mine/state").exists()
    assert (folder / "mine/out/by_dept.ndjson").read_text() == rows
    (folder / "mine/out/by_dept.ndjson").unlink()
    (folder / "mine/out/refused.ndjson").unlink()
    huiliu("run", "--quiet", topology, cwd=folder)
    assert (folder / "mine/out/by_dept.ndjson").read_text() == rows


def check_running(folder):
    """A state that a process has open is not removed; rows go on behind those that were committed."""
    topology = folder / "endless.yaml"
    topology.write_text("topology: endless\nsources:\n  rows: {type: generate, rate: 200/s, fields: [{name: n, sequence: {}}]}\n"
                        "sinks:\n  out: {type: stdout, input: rows}\n")
    command = [HUILIU, "run", "--quiet", "--epoch", "100ms", str(topology)]
    numbers = []
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            numbers.append(json.loads(process.stdout.readline())["n"])
            refused = huiliu("reset", "--yes", str(topology), cwd=folder, code=1)
            assert f"process {process.pid} holds the state" in refused.stderr, refused.stderr
            process.send_signal(signal.SIGINT)
            rest, errors = process.stdout.read(), process.stderr.read()
            assert process.wait(60) == 130, errors
            assert "topology endless" in errors, errors  # the summary is not among the rows
            numbers += [json.loads(line)["n"] for line in rest.splitlines()]
    assert numbers == list(range(1, len(numbers) + 1)), numbers


with tempfile.TemporaryDirectory() as scratch:
    files, generate = pathlib.Path(scratch) / "files", pathlib.Path(scratch) / "generate"
    files.mkdir()
    generate.mkdir()
    check_template("files", files)
    check_reset(files)
    counts = [json.loads(line) for line in check_template("generate", generate).splitlines()]
    assert sum(row["count"] for row in counts) == 10000, counts
    unknown = huiliu("new", "x", "--template", "file", cwd=scratch, code=2).stderr
    assert "files" in unknown, unknown
    check_running(pathlib.Path(scratch))
