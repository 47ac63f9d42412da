"""Runs the steps of a runbook as they are written: its commands in a shell, its queries in Prometheus, its pages by HTTP.

A step is what stands in backquotes. Capital words in it are for whoever is on call to fill in (HOST:PORT, TOPOLOGY);
a step with a word that the case has nothing for, such as STORE where no store is away, is not of that case.
"""
import os
import re
import shutil
import subprocess

from prometheus import ROOT, get_any

STEP = re.compile(r"`([^`]+)`")
QUERY = re.compile(r"\b(huiliu|process)_\w+[a-z]|^up\b")
COMMANDS = {"huiliu", "curl", "df", "du", "find", "kill", "ls", "sqlite3", "tail", "timeout"}
WORDS = re.compile(r"\b(?:HOST:PORT|TOPOLOGY|FILE:ROW|BROKER_HOST|BROKER_PORT|STORE|STATE|REJECTS|DEPARTMENT|PID)\b")
LIMIT_S = 330


class Broken(AssertionError):
    """A step does not work as it is written."""


class Runbook:
    def __init__(self, alert, prometheus, huiliu, env):
        text = (ROOT / "docs/runbooks" / f"{alert}.md").read_text()
        self.sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
        self.alert, self.prometheus = alert, prometheus
        # The program that is tested, under its name.
        self.env = env | {"PATH": f"{os.path.dirname(huiliu)}:{os.environ['PATH']}"}
        self.done = []  # (section, step, what came)

    def steps(self, section):
        return [" ".join(step.split()) for step in STEP.findall(self.sections[section])]

    def follow(self, section, values, only=""):
        """All steps of a section that are of this case, in their order; the answers by step. `only`: those that begin so."""
        answers = {}
        for written in self.steps(section):
            missing = {word for word in WORDS.findall(written) if word not in values}
            if missing or not written.startswith(only):
                continue
            step = WORDS.sub(lambda word: str(values[word[0]]), written)
            answer = self.take(step, values, section == "Remedy")
            if answer is not None:
                answers[written] = answer
                self.done.append((section, written, answer))
        return answers

    def take(self, step, values, must):
        program = step.split()[0]
        if program in COMMANDS and (" " in step):
            return self.command(step, must)
        if step.startswith("/"):
            return get_any(f"http://{values['HOST:PORT']}{step}") if step in ("/readyz", "/livez", "/status") else None
        if QUERY.search(step):
            return self.query(step)
        return None  # a word, an option, a file of the topology

    def command(self, step, must):
        if not shutil.which(step.split()[0], path=self.env["PATH"]):
            raise Broken(f"{self.alert}: there is no {step.split()[0]} for `{step}`")
        done = subprocess.run(["bash", "-c", step], env=self.env, cwd=ROOT, text=True, capture_output=True, timeout=LIMIT_S)
        answer = (done.stdout + done.stderr).strip()
        # What is asked whether it works may say no; a remedy may not.
        if done.returncode == 2 or done.returncode >= 126 or (must and done.returncode != 0):
            raise Broken(f"{self.alert}: `{step}` ended with {done.returncode}: {answer}")
        return answer or f"nothing (code {done.returncode})"

    def query(self, step):
        found = self.prometheus.ask(step)
        if not found:
            raise Broken(f"{self.alert}: `{step}` has no data")
        return ", ".join(f"{' '.join(v for k, v in one['metric'].items() if k not in ('instance', 'job', 'topology', '__name__'))}"
                         f" {float(one['value'][1]):.6g}".strip() for one in found[:4])
