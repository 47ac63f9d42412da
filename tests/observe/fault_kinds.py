"""What is done to a running credit topology, and how it is mended: by the steps of the alert's runbook."""
import csv
import os
import re
import signal
import sqlite3
import subprocess
import sys

from departments import SENDERS, UNKNOWN_CATEGORY
from prometheus import until

BLOCK = 64 << 10
LOCK = "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None); " \
       "c.execute('begin exclusive'); print('locked', flush=True); time.sleep(3600)"


class Fault:
    """`alert` must fire and is the runbook that is followed; `panels` must show it: (dashboard, beginning of the title)."""
    name = alert = ""
    panels = ()

    def __init__(self, watched, departments):
        self.watched, self.departments = watched, departments

    def values(self):
        """What whoever is on call fills in."""
        return {"HOST:PORT": self.watched.address, "TOPOLOGY": self.watched.topology}

    def inject(self):
        raise NotImplementedError

    def mend(self, runbook, answers):
        """Follows the remedy; `answers` are those of the steps before."""
        raise NotImplementedError

    def clean(self):
        """Takes away what is left of it, whatever went wrong."""


class SlowSink(Fault):
    """Another process holds the SQLite store of the sinks."""
    name, alert = "slow sink", "HuiliuComponentAway"
    panels = (("huiliu-overview", "Components that are away"), ("huiliu-epochs", "Waiting for stores"))

    @property
    def store(self):
        return os.path.realpath(self.watched.env["OUTPUT"]) + "/credit.sqlite"

    def values(self):
        return super().values() | {"STORE": self.store}

    def inject(self):
        self.holder = subprocess.Popen([sys.executable, "-c", LOCK, self.store], stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "locked\n"

    def mend(self, runbook, answers):
        listed = next(answer for step, answer in answers.items() if step.startswith("find "))
        others = set(re.findall(r"/proc/(\d+)/", listed)) - {str(self.watched.process.pid)}
        assert others == {str(self.holder.pid)}, (listed, self.holder.pid)
        runbook.follow("Remedy", self.values() | {"PID": others.pop()})
        assert self.holder.wait(10) == -signal.SIGTERM

    def clean(self):
        self.holder.kill()


class PoisonSource(Fault):
    """A department sends rows of which none can be accepted: half has a category that no table knows, half is no JSON."""
    name, alert = "poison source", "HuiliuRejectsMany"
    panels = (("huiliu-departments", "Rejects by code"), ("huiliu-overview", "Rejects by code"))

    @property
    def rejects(self):
        return self.watched.env["OUTPUT"] + "/rejects.csv"

    def values(self):
        """The place is that of a row that the file of rejects has."""
        with open(self.rejects, encoding="utf-8-sig") as file:
            last = [row for row in csv.DictReader(file) if row["reject_code"] == "E301_NOT_IN_TABLE"][-1]
        return super().values() | {"REJECTS": self.rejects, "FILE:ROW": f"{last['source_file']}:{last['source_row']}"}

    def inject(self):
        self.departments.poisoned = True

    def mend(self, runbook, answers):
        explained = next(answer for step, answer in answers.items() if "explain" in step)
        assert UNKNOWN_CATEGORY in explained and "E301_NOT_IN_TABLE" in explained, explained
        self.departments.stop_poison()  # it was told
        until("its last file is read", lambda: self.departments.last_poison in open(self.rejects).read())
        table = os.path.dirname(self.watched.topology) + "/tables/licence_categories.csv"
        with open(table, "a") as file:
            file.write(f"{UNKNOWN_CATEGORY},,\n")
        sent = self.departments.unknown_rows
        values = self.values()
        runbook.follow("Remedy", values, only="huiliu drain")
        assert self.watched.process.wait(60) == 0
        runbook.follow("Remedy", values, only="huiliu rejudge")
        assert self.accepted() == sent and self.refused() == 0, (sent, self.accepted(), self.refused())
        self.watched.start()

    def count(self, query, *values):
        with sqlite3.connect(self.watched.env["OUTPUT"] + "/credit.sqlite", timeout=30) as library:
            return library.execute(query, values).fetchone()[0]

    def refused(self):
        return self.count("select count(*) from problems where reject_code = 'E301_NOT_IN_TABLE'")

    def accepted(self):
        return self.count("select count(*) from legal_person where category = ?", UNKNOWN_CATEGORY)


class SilentDepartment(Fault):
    """A department that should send every few seconds stops."""
    name, alert = "silent department", "HuiliuDepartmentSilent"
    panels = (("huiliu-departments", "Overdue"), ("huiliu-departments", "Who is overdue"))

    def values(self):
        return super().values() | {"DEPARTMENT": SENDERS["jtys"][0]}

    def inject(self):
        self.departments.senders.discard("jtys")

    def mend(self, runbook, answers):
        runbook.follow("Remedy", self.values())
        self.departments.senders.add("jtys")  # it was called


class FullDisk(Fault):
    """The disk of the state is full: a file system of its own, which another file fills up."""
    name, alert = "full state disk", "HuiliuCommitOverdue"
    panels = (("huiliu-overview", "Since the last commit"), ("huiliu-overview", "Read and not committed"))

    def values(self):
        return super().values() | {"STATE": self.watched.env["STATE"]}

    @property
    def ballast(self):
        return os.path.dirname(self.watched.env["STATE"]) + "/ballast"

    def inject(self):
        with open(self.ballast, "wb", buffering=0) as file:
            for size in (BLOCK, 1):
                try:
                    while file.write(b"\0" * size):
                        pass
                except OSError:
                    pass

    def mend(self, runbook, answers):
        assert "100%" in next(answer for step, answer in answers.items() if step.startswith("df ")), answers
        runbook.follow("Remedy", self.values())
        for path in (self.ballast, self.ballast + "-before"):
            os.unlink(path)


class DeadBroker(Fault):
    """The broker of a topology from topic to topic is killed."""
    name, alert = "dead broker", "HuiliuComponentAway"
    panels = (("huiliu-overview", "Ready"), ("huiliu-overview", "Components that are away"))

    def values(self):
        host, port = self.departments.broker.bootstrap.split(":")
        return super().values() | {"BROKER_HOST": host, "BROKER_PORT": port}

    def inject(self):
        self.departments.broker.kill()

    def mend(self, runbook, answers):
        assert "refused" in next(answer for step, answer in answers.items() if "/dev/tcp" in step), answers
        runbook.follow("Remedy", self.values())
        self.departments.broker.start()


CREDIT = {"slow": SlowSink, "poison": PoisonSource, "silent": SilentDepartment, "disk": FullDisk}
KAFKA = {"broker": DeadBroker}
