"""The topology that docs/guides/write-a-topology builds up is valid and passes its own case."""
import pathlib
import re
import subprocess
import sys
import tempfile

HUILIU = str(pathlib.Path(sys.argv[1]).resolve())
GUIDES = pathlib.Path(__file__).resolve().parent.parent / "docs" / "guides"


def check(guide):
    smallest, operators, cases = re.findall(r"```yaml\n(.*?)```", guide.read_text(), re.S)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "smallest.yaml").write_text(smallest)
        whole = smallest.replace("sinks:\n", operators + "sinks:\n").replace("input: fines, path", "input: once, path")
        (path / "fines.yaml").write_text(whole)
        (path / "cases.yaml").write_text(cases)
        for command in (["validate", "smallest.yaml", "fines.yaml"], ["test", "cases.yaml"]):
            ended = subprocess.run([HUILIU, *command], cwd=folder, capture_output=True, text=True)
            assert ended.returncode == 0, f"{guide.name}: {command}\n{ended.stdout}{ended.stderr}"


def check_kafka(guide):
    topology, by_expression, security, snapshots = re.findall(r"```yaml\n(.*?)```", guide.read_text(), re.S)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "kafka").write_text("secret")
        security = security.replace("/run/secrets/kafka", str(path / "kafka"))
        secured = security + snapshots + topology[topology.index("sources:"):]
        (path / "plain.yaml").write_text(topology)
        (path / "secured.yaml").write_text("topology: licences\n" + secured)
        (path / "by_expression.yaml").write_text(topology[:topology.index("sinks:")] + by_expression)
        command = [HUILIU, "validate", "plain.yaml", "by_expression.yaml", "secured.yaml"]
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert ended.returncode == 0, f"{guide.name}: {ended.stdout}{ended.stderr}"


for language in ("", ".zh-CN"):
    check_kafka(GUIDES / f"run-with-kafka{language}.md")
    check(GUIDES / f"write-a-topology{language}.md")
