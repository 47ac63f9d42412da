"""A copy of the alert rules in which everything lasts a part of its time, so that a test takes minutes."""
import re

from prometheus import RULES

LEAST_RANGE_S = 5  # at a scrape a second, a rate needs some
UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds(text):
    return int(text[:-1]) * UNITS[text[-1]]


def scaled_rules(folder, scale):
    text = (RULES / "huiliu_alerts.yaml").read_text()
    text = re.sub(r"for: (\d+[smh])", lambda found: f"for: {max(1, round(seconds(found[1]) * 1000 / scale))}ms", text)
    text = re.sub(r"\[(\d+[smh])\]", lambda found: f"[{max(LEAST_RANGE_S, round(seconds(found[1]) / scale))}s]", text)
    text = re.sub(r"> 60\b", f"> {60 / scale:g}", text)
    path = folder / "alerts.yaml"
    path.write_text(text)
    return path


def lasts(alert):
    """How long it is `for` in the real rules, and the time that its expression looks back or compares with."""
    rule = re.search(rf"- alert: {alert}\n(.*?)(?=- alert|\Z)", (RULES / "huiliu_alerts.yaml").read_text(), re.S)[1]
    pending = re.search(r"for: (\w+)", rule)
    back = re.search(r"\[(\w+)\]", rule) or re.search(r"> (60)\b", rule)
    return (pending[1] if pending else "0"), (back[1] if back else "-")
