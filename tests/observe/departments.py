"""Departments that send files of licences to the credit topology, one after the other, well or badly."""
import json
import threading

from prometheus import ROOT

SENDERS = {"scjg": ("11350800004000016A", "龙岩市市场监督管理局"), "jtys": ("11350800004001027M", "龙岩市交通运输局"),
           "zjj": ("11350800004003049C", "龙岩市住房和城乡建设局")}
UNKNOWN_CATEGORY = "新设许可"  # no table knows it


def rows_of(key, begin, count, **others):
    """NDJSON that is accepted, unless `others` has something worse; document numbers make each row a licence of its own."""
    code, name = SENDERS[key]
    first = (ROOT / "topologies/credit/sample/01_scjg_licence_2018.ndjson").read_text().splitlines()[0]
    row = json.loads(first) | {"XK_XKJG": name, "XK_XKJGDM": code, "XK_LYDW": name, "XK_LYDWDM": code} | others
    return [json.dumps(row | {"XK_WSH": f"岩证许字〔2024〕{begin + n}号"}, ensure_ascii=False) for n in range(count)]


class Departments(threading.Thread):
    """Each department that is not silent sends two files a second. A poisoned one sends rows of which none can be accepted."""

    def __init__(self, inbox, rows=10):
        super().__init__(daemon=True)
        self.inbox, self.rows = inbox, rows
        self.senders, self.poisoned = {"scjg", "jtys"}, False
        self.number, self.last_poison = 0, ""
        self.unknown_rows = 0  # that have the category
        self.sending = threading.Lock()
        self.ended = threading.Event()

    def send(self, key, rows):
        self.number += 1
        name = f"{self.number % 100:02}_{key}_licence_2018_{self.number:06}.ndjson"
        hidden = self.inbox / f".{name}.tmp"
        hidden.write_text("\n".join(rows) + "\n")
        hidden.rename(self.inbox / name)
        return name

    def send_poison(self, begin):
        """Half of it has a category that no table knows, half is no JSON."""
        bad = rows_of("zjj", begin, self.rows // 2, XK_XKLB=UNKNOWN_CATEGORY)
        self.unknown_rows += len(bad)
        self.last_poison = self.send("zjj", bad + ['{"XK_XDR_MC": "缺'] * (self.rows - len(bad)))

    def stop_poison(self):
        with self.sending:
            self.poisoned = False

    def run(self):
        while not self.ended.wait(0.5):
            with self.sending:
                self.round()

    def round(self):
        begin = self.number * self.rows
        for at, key in enumerate(sorted(self.senders)):
            self.send(key, rows_of(key, begin + at * self.rows, self.rows))
        if self.poisoned:
            self.send_poison(begin + 10 * self.rows)

    def end(self):
        self.ended.set()
        self.join()
