"""What is in a traces folder, and every file of it that is not as it should be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from aurelia_plugin.calling.backend import Reply
from aurelia_plugin.reasoning.trace import Trace
from aurelia_plugin.traces.aside import is_left_over
from aurelia_plugin.traces.records import Fault, read_folder
from aurelia_plugin.traces.run_records import read_runs

__all__ = ["TracesReport", "check_traces"]


@dataclass
class TracesReport:
    """What a folder holds.

    Attributes:
        stops: traces by how their loops ended.
        calls: finished agent calls.
        votes: stored votes.
        runs: records of runs.
        aside: files that were put aside or left over by a killed process; harmless.
        faults: files that cannot be used.
    """

    stops: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    votes: int = 0
    runs: int = 0
    aside: list[Path] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether every file can be used."""
        return not self.faults


def check_traces(folder: Path) -> TracesReport:
    """Read every file of a traces folder; nothing is changed.

    Raises:
        StoreError: it is not a traces folder.
        OSError: the machine cannot read files just now.
    """
    report = TracesReport()
    for found in read_folder(folder):
        if isinstance(found, Fault):
            report.faults.append(found)
        elif isinstance(found.record, Trace):
            report.stops[found.record.stop] += 1
        elif isinstance(found.record, Reply):
            report.calls += 1
        else:
            report.votes += 1
    for run in read_runs(folder):
        if isinstance(run, Fault):
            report.faults.append(run)
        else:
            report.runs += 1
    report.aside = [path for path in sorted(folder.rglob("*")) if is_left_over(path)]
    return report
