"""Comparisons made in code, of any size, for plots and page."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aurelia_plugin.benchmark.data.items import CATEGORIES, COLUMNS
from aurelia_plugin.compare.result import (
    ArmAnswer,
    Audits,
    Change,
    Comparison,
    Contrast,
    Discrimination,
    Figure,
    Interval,
    ItemRow,
    LeakAudit,
    Method,
    ReportedFigure,
    RunInfo,
    Saturation,
    TaskInfo,
    Verdict,
)
from aurelia_plugin.compare.verdicts import verdicts

__all__ = ["ARMS", "comparison", "item", "run"]

ARMS = ("none", "cot", "placebo", "aurelia", "consistency")


def run(label: str, **fields: Any) -> RunInfo:
    task = TaskInfo(
        name="avreasonbench_mini_meme",
        version="1.0",
        metric="score",
        graded=False,
        n=2,
        parser="p",
        generation={"max_new_tokens": 64},
        data="json",
    )
    given: dict[str, Any] = {
        "label": label,
        "harness": "lmms-eval",
        "folder": f"/results/{label}",
        "date": "20260101_000000",
        "files": (),
        "model": "aurelia_embedded",
        "model_args": {"condition": label},
        "condition": label,
        "media": "full",
        "target": "transformers:tiny@1#2",
        "agents": {"reasoner": "transformers:tiny@1#2"},
        "threshold": 6,
        "max_iterations": 3,
        "prompts": {"inject.jinja": "0123"},
        "settings": {"preset": "default", "prompts": None, "inject": "steps", "seed": 0},
        "tasks": (task,),
        "n": 2,
        "seconds": 12.5,
    }
    return RunInfo(**{**given, **fields})


def item(
    number: int,
    arms: Mapping[str, ArmAnswer],
    **fields: Any,
) -> ItemRow:
    column = COLUMNS[number % len(COLUMNS)]
    given: dict[str, Any] = {
        "id": f"{column}-{number:05d}",
        "task": f"avreasonbench_mini_{column}",
        "doc_id": str(number),
        "column": column,
        "category": CATEGORIES[number % len(CATEGORIES)],
        "answer_class": "country",
        "cluster": f"clip-{number // 2}",
        "question": f"What rings in clip number {number}?\nA. A bell\nB. A drum",
        "options": ("A bell", "A drum"),
        "gold": "A" if number % 2 else "B",
        "arms": arms,
    }
    return ItemRow(**{**given, **fields})


def _answer(arm: str, rng: random.Random, before: bool | None) -> ArmAnswer:
    right = rng.random() < (0.4 if arm == "none" else 0.55)
    change: Change | None = None
    if before is not None:
        names: dict[tuple[bool, bool], Change] = {
            (False, True): "wrong_to_right",
            (True, False): "right_to_wrong",
            (True, True): "right",
            (False, False): "wrong",
        }
        change = names[before, right]
    loops = arm in {"aurelia", "placebo"}
    return ArmAnswer(
        score=float(right),
        right=right,
        change=change,
        answer=f"I hear it. Answer: {'A' if right else 'B'}",
        read="A" if right else "B",
        unparsed=rng.random() < 0.05,
        iterations=rng.randint(1, 3) if loops else None,
        first_score=rng.randint(1, 10) if loops else None,
        best_score=rng.randint(1, 10) if loops else None,
        stop="accepted" if loops else None,
        leak=rng.choice(["leak", "clean", "unclear"]) if loops else None,
        input_tokens=900,
        output_tokens=30,
        seconds=1.5,
    )


def _items(count: int, arms: Sequence[str], rng: random.Random) -> list[ItemRow]:
    rows = []
    for number in range(count):
        first = _answer(arms[0], rng, None)
        answers = {arms[0]: first}
        answers |= {arm: _answer(arm, rng, first.right) for arm in arms[1:]}
        rows.append(item(number, answers))
    return rows


def _figures(rows: Sequence[ItemRow], arm: str) -> list[Figure]:
    scopes: list[tuple[Any, str]] = [("all", "all"), *(("column", name) for name in COLUMNS)]
    scopes += [("category", name) for name in CATEGORIES]
    found = []
    for kind, name in scopes:
        chosen = [r for r in rows if kind == "all" or getattr(r, kind) == name]
        if not chosen:
            continue
        mean = sum(row.arms[arm].score for row in chosen) / len(chosen)
        found.append(
            Figure(
                arm=arm, kind=kind, name=name, n=len(chosen), clusters=len(chosen), score=mean,
                interval=Interval(low=max(0, mean - 0.1), high=min(1, mean + 0.1)),
                accuracy=mean, unparsed=0.05, failed=0, dropped=0,
                input_tokens=len(chosen) * (900 if arm == "none" else 5000),
                output_tokens=len(chosen) * 30,
            )
        )  # fmt: skip
    return found


def _contrasts(rows: Sequence[ItemRow], arm: str, reference: str) -> list[Contrast]:
    before = {(f.kind, f.name): f for f in _figures(rows, reference)}
    found = []
    for after in _figures(rows, arm):
        other = before[after.kind, after.name]
        gain = after.score - other.score
        found.append(
            Contrast(
                arm=arm, reference=reference, kind=after.kind, name=after.name, n=after.n,
                clusters=after.n, score=after.score, reference_score=other.score, gain=gain,
                relative_gain=gain / other.score if other.score else None,
                interval=Interval(low=gain - 0.08, high=gain + 0.08), method="score",
                wins=3, losses=2, ties=1,
                wrong_to_right=3, right_to_wrong=2, p=0.04, p_holm=0.2,
                detectable=0.1,
            )
        )  # fmt: skip
    return found


def _verdicts(rows: Sequence[ItemRow], arms: Sequence[str]) -> tuple[Verdict, ...]:
    runs = [run(arm) for arm in arms]
    return verdicts(rows, runs, arms[0], Method(draws=100, seed=0, cluster="video"))


def comparison(
    count: int = 40, arms: Sequence[str] = ARMS, traces: Path | None = None, **fields: Any
) -> Comparison:
    rng = random.Random(1)
    rows = fields.pop("items", None) or _items(count, arms, rng)
    reference, *others = arms
    saturation = tuple(
        Saturation(
            arm=arm, n=count, accepted_first=0.5, interval=Interval(low=0.4, high=0.6),
            scores={"7": count}, mean_by_iteration=(4.0, 5.5, 6.1),
        )
        for arm in others
        if arm in {"aurelia", "placebo"}
    )  # fmt: skip
    leak = LeakAudit(
        arm="aurelia", n=count, leaking=4, clean=30, unclear=6, rate=4 / 34,
        interval=Interval(low=0.05, high=0.25), by_kind={"letter": (4, 30, 6)},
    )  # fmt: skip
    known = Discrimination(
        arm="aurelia", right=20, wrong=20, mean_right=7.0, mean_wrong=5.0, auc=0.7,
        interval=Interval(low=0.6, high=0.8),
    )  # fmt: skip
    given: dict[str, Any] = {
        "created": "2026-01-01T00:00:00Z",
        "version": "0.1.0",
        "method": Method(draws=1000, seed=0, cluster="video"),
        "reference": reference,
        "runs": tuple(run(arm, traces=str(traces) if traces else None) for arm in arms),
        "columns": COLUMNS,
        "categories": tuple(c for c in CATEGORIES if any(r.category == c for r in rows)),
        "figures": tuple(figure for arm in arms for figure in _figures(rows, arm)),
        "contrasts": tuple(c for arm in others for c in _contrasts(rows, arm, reference)),
        "verdicts": _verdicts(rows, arms),
        "audits": Audits(leaks=(leak,), saturation=saturation, discrimination=(known,)),
        "reported": (
            ReportedFigure(
                model="VITA", column="avsd", zero_shot_first=20.0, zero_shot_second=25.0,
                with_aurelia=30.0, printed_gain=20.0,
            ),
        ),
        "notes": ("One item was left out: arm cot lacks it.",),
        "items": tuple(rows),
    }  # fmt: skip
    return Comparison(**{**given, **fields})
