"""What was measured of faults, as lines for a terminal and as tables of Markdown."""
from dataclasses import dataclass

ANSWER = 240  # characters of an answer that are shown


@dataclass
class Result:
    fault: object
    real: tuple          # `for`, and what the expression looks back or compares with, of the real rule
    fired: float         # seconds from the injection on, as are the next three
    others: dict
    told: float | None
    remedied: float      # when its remedy began
    works: float         # seconds from then on, as is the next
    resolved: float
    resolved_told: float | None
    panels: list
    steps: list

    def line(self):
        also = ", ".join(f"{name} {at:.1f} s" for name, at in self.others.items() if name != self.fault.alert)
        shown = "; ".join(f"{title}: {low} → {high} → {end}" for (_, title), low, high, end in self.panels)
        told = f", on call told after {self.told:.1f} s" if self.told else ""
        return (f"{self.fault.name}: {self.fault.alert} after {self.fired:.1f} s{told}; {len(self.steps)} steps of the runbook; "
                f"the run works {self.works:.1f} s after the remedy began, nothing fires after {self.resolved:.1f} s; {shown}"
                + (f"; also {also}" if also else ""))


def table(results):
    lines = ["| fault | alert | real rule: `for`, looks at | fires | on call is told | remedy begins | works again | "
             "nothing fires | also fired |", "| --- " * 9 + "|"]
    for one in results:
        also = ", ".join(f"{name} ({at:.1f} s)" for name, at in sorted(one.others.items(), key=lambda pair: pair[1])
                         if name != one.fault.alert)
        told = f"{one.told:.1f} s" if one.told else "-"
        lines.append(f"| {one.fault.name} | {one.fault.alert} | {one.real[0]}, {one.real[1]} | {one.fired:.1f} s | {told} | "
                     f"{one.remedied:.1f} s | {one.works:.1f} s | {one.resolved:.1f} s | {also or '-'} |")
    return "\n".join(lines)


def panels(results):
    lines = ["| fault | panel | before | during | after |", "| --- " * 5 + "|"]
    for one in results:
        lines += [f"| {one.fault.name} | {board.removeprefix('huiliu-')}: {title} | {low} | {high} | {end} |"
                  for (board, title), low, high, end in one.panels]
    return "\n".join(lines)


def steps(results):
    lines = []
    for one in results:
        lines += [f"### {one.fault.name}: {one.fault.alert}", "", "```"]
        for section, step, answer in one.steps:
            short = answer.split("\n\n")[0].replace("\n", " / ")  # of a status, the lines above its tables
            lines += [f"[{section}] {step}", "    " + short[:ANSWER] + ("…" if len(short) > ANSWER else "")]
        lines += ["```", ""]
    return "\n".join(lines)


def print_results(results, scale, markdown):
    print(f"alerts last 1/{scale:g} of their time")
    print(table(results))
    print(panels(results))
    if markdown:
        markdown.write_text(f"{table(results)}\n\n{panels(results)}\n\n{steps(results)}")
    else:
        print(steps(results))
