"""The topologies that the guides build up are valid and pass their cases, commands print what docs/guides/read-a-reject shows, and what is made
from the credit topology (the guide credit-rules, the schemas of its topics) is up to date: `guides_test.py HUILIU --write` makes it anew."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HUILIU = str(pathlib.Path(sys.argv[1]).resolve())
ROOT = pathlib.Path(__file__).resolve().parent.parent
GUIDES = ROOT / "docs" / "guides"


def check(guide):
    smallest, operators, joined, cases = re.findall(r"```yaml\n(.*?)```", guide.read_text(), re.S)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "smallest.yaml").write_text(smallest)
        whole = smallest.replace("sinks:\n", operators + "sinks:\n").replace("input: fines, path", "input: once, path")
        (path / "fines.yaml").write_text(whole)
        departments = "  departments: {type: file, path: departments.csv, fields: [code, name]}\n"
        joined = smallest.replace("sinks:\n", departments + "operators:\n" + joined + "sinks:\n")
        (path / "joined.yaml").write_text(joined.replace("input: fines, path", "input: named, path"))
        (path / "cases.yaml").write_text(cases)
        for command in (["validate", "smallest.yaml", "fines.yaml", "joined.yaml"], ["test", "cases.yaml"]):
            ended = subprocess.run([HUILIU, *command], cwd=folder, capture_output=True, text=True)
            assert ended.returncode == 0, f"{guide.name}: {command}\n{ended.stdout}{ended.stderr}"


def check_first(readme):
    """The topology on the first screen prints what stands below it, with any number of threads."""
    text = readme.read_text()
    topology, output = (re.search(rf"```{kind}\n(.*?)```", text, re.S)[1] for kind in ("yaml", "json"))
    for threads in ("1", "3"):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "first.yaml").write_text(topology)
            command = [HUILIU, "run", "--quiet", "--parallelism", threads, "--epoch", "1m", "first.yaml"]
            ended = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            assert ended.returncode == 0, f"{readme.name}: {ended.stdout}{ended.stderr}"
            assert ended.stdout == output, f"{readme.name}: it prints\n{ended.stdout}"


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


def shown(guide):
    """Commands of a guide with what it shows of their output: pieces between lines with …"""
    for command, output in re.findall(r"```\n\$ huiliu (.*?)\n(.*?)```", guide.read_text(), re.S):
        pieces = re.split(r"^\s*…\n", output, flags=re.M)
        yield command.split(), [piece for piece in pieces if piece]


def compare(guide, command, pieces, env=None):
    ended = subprocess.run([HUILIU, *command], cwd=ROOT, capture_output=True, text=True, env=env)
    at, output = 0, ended.stdout + ended.stderr
    for piece in pieces:
        found = ("\n" + output).find("\n" + piece, at)
        assert found >= 0, f"{guide.name}: {command} does not print\n{piece}\nbut\n{output}"
        at = found + len(piece)


def check_rejects(guide):
    """What the guide shows is what the commands print."""
    sample = ROOT / "topologies" / "credit"
    for command, pieces in shown(guide):
        if command[0] == "explain":
            compare(guide, command, pieces)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        shutil.copytree(sample, path / "credit")
        env = dict(os.environ, OUTPUT=str(path / "out"), STATE=str(path / "state"))
        table = path / "credit" / "tables" / "permissions.csv"
        whole = table.read_text()
        table.write_text(whole.replace("113508000040080933,11350800004000016A\n", ""))
        topology = str(path / "credit" / "topology.yaml")
        subprocess.run([HUILIU, "run", topology], check=True, env=env, capture_output=True)
        table.write_text(whole)
        for command, pieces in shown(guide):
            if command[0] in ("rejudge", "state"):
                compare(guide, [topology if arg.endswith("topology.yaml") else arg for arg in command], pieces, env)


def check_examples():
    """Commands that the README and `schema --help` show do what is said of them."""
    for readme in ("README.md", "README.zh-CN.md"):
        command, = re.findall(r"^huiliu (explain .*?) *#", (ROOT / readme).read_text(), re.M)
        compare(ROOT / readme, command.split(), ["REJECTED"])
    env = dict(os.environ, KAFKA="localhost:9092", OUT_OF_DATE="warn")
    shown_by_help = re.findall(r"^ +(?:KAFKA=\S+ )?huiliu (schema \S.*?)(?: +#| *>|$)", printed("schema", "--help"), re.M)
    assert len(shown_by_help) == 4, shown_by_help
    for command in shown_by_help:
        ended = subprocess.run([HUILIU, *command.split()], cwd=ROOT, capture_output=True, text=True, env=env)
        assert ended.returncode == 0, f"schema --help: {command}: {ended.stderr}"


def printed(*command):
    env = dict(os.environ, KAFKA="localhost:9092", OUT_OF_DATE="warn")
    return subprocess.run([HUILIU, *command], cwd=ROOT, capture_output=True, text=True, env=env, check=True).stdout


def made():
    """Files that commands print → their text."""
    title, _, rest = printed("rules", "topologies/credit/topology.yaml", "--lang", "zh").partition("\n")
    header = ("<!-- 由 `huiliu rules topologies/credit/topology.yaml --lang zh` 生成，请勿手工修改。更新：\n"
              "     `python3 tests/guides_test.py build/dev/cli/huiliu --write`，由 tests/guides_test.py 核对。 -->\n")
    yield GUIDES / "credit-rules.zh-CN.md", f"{title}\n\n{header}{rest}"
    for sink in PUBLISHED:
        schema = printed("schema", "topologies/credit/kafka.yaml", "--messages", sink)
        yield ROOT / "topologies" / "credit" / "schemas" / f"credit.{sink}.json", schema


PUBLISHED = ("legal", "natural", "household", "published", "history", "conflicts", "outcomes", "notices", "problems")
for path, text in made():
    if "--write" in sys.argv:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    else:
        assert path.exists() and path.read_text() == text, f"{path} is not what it is made from: run this test with --write"
if "--write" in sys.argv:
    sys.exit()
check_examples()
for language in ("", ".zh-CN"):
    check_first(ROOT / f"README{language}.md")
    check_rejects(GUIDES / f"read-a-reject{language}.md")
    check_kafka(GUIDES / f"run-with-kafka{language}.md")
    check(GUIDES / f"write-a-topology{language}.md")
