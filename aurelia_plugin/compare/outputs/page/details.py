"""What the page shows of one question beside the comparison itself: loops, votes, prefaces."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from aurelia_plugin.compare.outputs.page.prompts import AskedPrompts, prompts_of
from aurelia_plugin.compare.result import Comparison, ItemRow, RunInfo
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.reasoning.trace import Iteration, Trace
from aurelia_plugin.running.conditions.voting import Vote
from aurelia_plugin.traces.store import TraceStore

__all__ = ["TraceDetails"]

_UNKNOWN: Final = "The prompts that this loop was made with are not there, so only replies are."


class TraceDetails:
    """Reads the traces folders of a comparison's runs.

    Args:
        comparison: its runs name the folders; a folder that is gone gives nothing.
    """

    def __init__(self, comparison: Comparison) -> None:
        self._runs = {run.label: run for run in comparison.runs}
        self._stores = {
            label: TraceStore(Path(run.traces), writable=False)
            for label, run in self._runs.items()
            if run.traces is not None and Path(run.traces).is_dir()
        }
        self._accounts = {label: _accounts(run) for label, run in self._runs.items()}

    def of(self, item: ItemRow) -> dict[str, Any]:
        """Return `arms`, label to what is known of that arm, and `traces`, key to loop."""
        arms: dict[str, Any] = {}
        traces: dict[str, Any] = {}
        for label, answer in item.arms.items():
            about: dict[str, Any] = {}
            account = self._accounts[label].get((item.task, item.doc_id), {})
            if account.get("preface"):
                about["preface"] = account["preface"]
            if account.get("turns"):
                about["turns"] = [
                    {key: turn[key] for key in ("kind", "role", "text", "note", "score", "chosen")}
                    for turn in account["turns"]
                ]
            trace = self._trace(label, answer.trace)
            if trace is not None:
                about["trace"] = trace.key
                if trace.key not in traces:
                    traces[trace.key] = loop(trace, prompts_of(self._runs[label], trace))
            vote = self._vote(label, account.get("vote"))
            if vote is not None:
                about["votes"] = {
                    "ballots": [[ballot.text, ballot.value] for ballot in vote.ballots],
                    "chosen": vote.chosen,
                    "temperature": vote.temperature,
                }
            arms[label] = about
        return {"arms": arms, "traces": traces}

    def _trace(self, label: str, key: str | None) -> Trace | None:
        store = self._stores.get(label)
        return None if store is None or key is None else _read(store, key)

    def _vote(self, label: str, key: str | None) -> Vote | None:
        store = self._stores.get(label)
        return None if store is None or key is None else store.vote(key, Vote)


@functools.lru_cache(maxsize=64)
def _read(store: TraceStore, key: str) -> Trace | None:
    """Read a trace once for the arms that share it."""
    return store.trace(key)


def _accounts(run: RunInfo) -> Mapping[tuple[str, str], dict[str, Any]]:
    """Return what the run wrote of each question, by task and document."""
    if run.record is None:
        return {}
    path = Path(run.record).with_suffix(".items.jsonl")
    if not path.is_file():
        return {}
    found = {}
    with path.open(encoding="utf-8") as lines:
        for line in filter(str.strip, lines):
            row = json.loads(line)
            task, _, rest = row["id"].partition("/")
            found[task, rest.rpartition("/")[2]] = row
    return found


def loop(trace: Trace, prompts: PromptSet | None) -> dict[str, Any]:
    """Return a trace as the page shows it.

    Args:
        prompts: those that it was made with; None where they are not there any more.
    """
    whole = getattr(trace, "variant", None) is None
    asked = AskedPrompts(trace, prompts) if prompts is not None and whole else None
    return {
        "stop": trace.stop,
        "error": trace.error,
        "best": trace.best,
        "threshold": trace.threshold,
        "prompts_unknown": _UNKNOWN if asked is None else "",
        "iterations": [
            _iteration(iteration, None if asked is None else asked.of(place))
            for place, iteration in enumerate(trace.iterations)
        ],
    }


def _iteration(iteration: Iteration, prompts: Sequence[str | None] | None) -> dict[str, Any]:
    return {
        "steps": iteration.steps,
        "answers": iteration.step_answers,
        "final": iteration.final_answer,
        "caption": iteration.caption,
        "score": iteration.score,
        "feedback": iteration.feedback,
        "calls": [
            {
                "role": call.role,
                "ask": call.ask,
                "prompt": prompt,
                "read": call.read,
                "text": call.text,
                "tokens": [call.usage.input_tokens, call.usage.output_tokens],
                "dropped": call.evidence.dropped,
            }
            for call, prompt in zip(
                iteration.calls, prompts or [None] * len(iteration.calls), strict=True
            )
        ],
    }
