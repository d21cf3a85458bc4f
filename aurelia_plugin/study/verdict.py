"""Whether a run of the harness has done its work: it exits with 0 even where it raised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Verdict", "judge"]


class Verdict(NamedTuple):
    """What the files of a run say.

    Attributes:
        results: the results file of a finished run, else None.
        problem: why the run is not finished.
    """

    results: Path | None
    problem: str = ""


def judge(folder: Path) -> Verdict:
    """Judge the run whose `--output_path` is `folder`.

    It is finished if it has a results file, and for every task in it a log with as many different
    documents as the results file says were evaluated.
    """
    paths = sorted(folder.rglob("*_results.json"), key=lambda path: path.name)
    if not paths:
        return Verdict(None, "it wrote no results file")
    path = paths[-1]
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
        counts = results["n-samples"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Verdict(None, f"{path} cannot be read: {error}")
    date = path.name.removesuffix("_results.json")
    if not counts:
        return Verdict(None, f"{path} has no task")
    for problem in _missing(path.parent, date, counts):
        return Verdict(None, problem)
    return Verdict(path)


def _missing(folder: Path, date: str, counts: dict[str, Any]) -> Iterator[str]:
    for task, count in counts.items():
        log = folder / f"{date}_samples_{task}.jsonl"
        try:
            with log.open(encoding="utf-8") as lines:
                documents = {json.loads(line)["doc_id"] for line in lines if line.strip()}
        except OSError:
            yield f"{log} is not there"
            continue
        except (ValueError, KeyError) as error:
            yield f"{log} cannot be read: {error}"
            continue
        if len(documents) != count["effective"]:
            yield f"{log} has {len(documents)} documents of {count['effective']}"
