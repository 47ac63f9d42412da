"""A Prometheus that scrapes one topology, and the queries of the dashboards."""
import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy" / "prometheus"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def get_any(url):
    """The body, whatever the status."""
    try:
        return get(url)
    except urllib.error.HTTPError as error:
        return error.read().decode()


def until(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds} s")


def queries(*dashboards):
    """(dashboard, panel, expression) of all panels of these dashboards, with variables as Grafana would fill them in."""
    for path in sorted((ROOT / "deploy" / "grafana").glob("*.json")):
        if path.stem not in dashboards:
            continue
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                text = target["expr"].replace("$__rate_interval", "10s").replace("$topology", ".*")
                yield path.stem, panel["title"], text


def all_dashboards():
    return {path.stem for path in (ROOT / "deploy" / "grafana").glob("*.json")}


def start_server(*command):
    """Dies with us, and a Ctrl-C is for us alone."""
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, command)], stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, start_new_session=True)


class Prometheus:
    """Runs while it is entered."""

    def __init__(self, folder, target, rules=RULES / "huiliu_alerts.yaml", port=0, alertmanager="", scrape="1s"):
        self.port = port or free_port()
        config = {"global": {"scrape_interval": scrape, "scrape_timeout": scrape, "evaluation_interval": "1s"},
                  "rule_files": [str(rules)],
                  "scrape_configs": [{"job_name": "huiliu", "static_configs": [{"targets": [target]}]}]}
        if alertmanager:
            config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
        self.config = folder / "prometheus.json"
        self.config.write_text(json.dumps(config))  # JSON is YAML
        self.data = folder / "tsdb"

    def __enter__(self):
        self.process = start_server("prometheus", f"--config.file={self.config}", f"--storage.tsdb.path={self.data}",
                                    f"--web.listen-address=127.0.0.1:{self.port}")
        until("Prometheus is ready", lambda: get(f"http://127.0.0.1:{self.port}/-/ready"))
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)

    def api(self, path, **parameters):
        answer = json.loads(get(f"http://127.0.0.1:{self.port}/api/v1/{path}?" + urllib.parse.urlencode(parameters)))
        assert answer["status"] == "success", (path, parameters, answer)
        return answer["data"]

    def ask(self, expression):
        return self.api("query", query=expression)["result"]

    def without_data(self, *dashboards):
        return [one for one in queries(*dashboards) if not self.ask(one[2])]

    def check(self, *dashboards, rare=()):
        """Each panel has data, and knows no name that nobody gives, which would be empty for ever."""
        asked = list(queries(*dashboards))
        assert not (empty := self.without_data(*dashboards)), empty
        names = set(re.findall(r"\b(?:huiliu|process)_[a-z_]+", " ".join(expression for _, _, expression in asked)))
        known = set(self.api("label/__name__/values"))
        assert names - known <= set(rare), names - known
        print(f"{len(asked)} queries of the dashboards have data", flush=True)
