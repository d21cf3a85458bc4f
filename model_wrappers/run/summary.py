"""What a run did: a few lines for the screen, and the record that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurelia_plugin.running.outcomes import RunOutcome

__all__ = ["Summary"]


class Summary:
    """The end of a run.

    Args:
        condition: the arm.
        outcome: of all processes.
        about: versions, settings and identities, for the record.
    """

    def __init__(self, condition: str, outcome: RunOutcome, about: Mapping[str, Any]) -> None:
        self._unreadable = outcome.unreadable_agents()
        self._looped = any(item.stop is not None for item in outcome.items)
        self.record: dict[str, Any] = {"condition": condition, **outcome.record(), **about}

    def text(self, path: str) -> str:
        """Return the summary for the screen; `path` says where the record was written."""
        record = self.record
        lines = [f"AURELIA condition={record['condition']}: {record['n']} questions"]
        if self._looped:
            lines.append(
                "  traces: {accepted} accepted, {exhausted} exhausted, {unscored} unscored, "
                "{agent_failures} failed, {over_budget} over budget; "
                "{mean_iterations:.2f} iterations on average".format(**record)
            )
            lines.append(f"  agent calls: {_pairs(record['calls'])}")
            if any(record["calls_reused"].values()):
                lines.append(f"  replies taken from the store: {_pairs(record['calls_reused'])}")
        if record["usage"]["by_role"]:
            lines.append(_usage(record["usage"]["total"], record["usage"]["by_role"]))
        target = record["evidence"]["target"]
        lines.append(
            "  delivered to the target: {frames} frames, {images} images, {clips} sounds "
            "({sound_seconds:.1f} s) in {calls} calls".format(**target)
            + (f" and {target['reused']} kept replies" if target["reused"] else "")
        )
        lines.append(f"  record: {path}")
        return "\n".join(lines)

    def warnings(self) -> list[str]:
        """Return what must not be overlooked: failures and evidence that was not delivered."""
        record = self.record
        lines = list(self._unreadable)
        if record["failed"]:
            lines.append(
                "{agent_failures} questions failed in the agents and {target_failures} at the "
                "target; {unanswered} of {n} have an empty answer, which the harness counts as "
                "wrong. Run the same command again to retry the calls that failed.".format(**record)
            )
            lines += _examples(record)
        if record["over_budget"] or record["target_over_budget"]:
            lines.append(
                "the budget ended the agents of {over_budget} questions and kept "
                "{target_over_budget} from the target; {unanswered} of {n} have an empty answer. "
                "What was finished is kept: raise max_calls, max_tokens or max_cost and run the "
                "same command again to go on.".format(**record)
            )
            lines += [] if record["failed"] else _examples(record)
        if record["without_steps"]:
            lines.append(
                f"{record['without_steps']} questions were asked without reasoning: their agents "
                "wrote no steps."
            )
        for name, evidence in record["evidence"].items():
            for what, times in evidence["dropped"].items():
                lines.append(f"not delivered to the {name}, {times} times: {what}")
        return lines


def _examples(record: Mapping[str, Any]) -> list[str]:
    return [f"for example: {problem}" for problem in record["problems"]]


def _usage(total: Mapping[str, Any], by_role: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the tokens and money of the calls that were made."""
    cost = total["cost_usd"]
    money = "no price known for some" if cost is None else f"${cost:.4f}"
    roles = ", ".join(
        f"{role} {used['input_tokens']}+{used['output_tokens']}" for role, used in by_role.items()
    )
    return f"  tokens (read+written): {roles}; cost: {money}"


def _pairs(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
