"""Questions without a clip: what follows from what is perceived can be learnt from text alone.

One question stands with many findings at once, so that most of what is read has to be concluded
from: a few words at the end of a long question teach little.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from aurelia_plugin.benchmark.data.documents import question_text
from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.synthetic.atlas import ATLAS, ATTRIBUTES, FLAGS, MELODIES
from aurelia_plugin.benchmark.synthetic.columns import Sample
from aurelia_plugin.benchmark.synthetic.families.draw import one_of, several_of
from aurelia_plugin.reasoning.prompting import PromptSet
from embedded_training.exchange import Exchange, answer_of, asked_as
from embedded_training.findings import (
    Finding,
    caption,
    corrupted,
    degraded,
    findings_of,
    label_of,
    lines_of,
    verdict,
)

__all__ = [
    "NAMES",
    "VALUES",
    "atlas_lines",
    "conclusions",
    "judgements",
    "shuffled_atlas",
    "widened_atlas",
]

NAMES: Final = tuple(dict.fromkeys(region.name for region in ATLAS))
VALUES: Final = {
    attribute: tuple(dict.fromkeys(str(getattr(region, attribute)) for region in ATLAS))
    for attribute in ATTRIBUTES
}
_MOST = 12
"""Cases of one question at most."""

_CONCLUDED = re.compile(
    r"Which region .*|Look up .*|Which instruments are both .*|Which heard instruments are missing "
    r".*|Compare the two moments\.|Which of the four counts .*|Do picture and sound fit .*"
)
"""Steps whose finding follows from the findings before them and from the question."""
_ATLAS_LINE = re.compile(
    r"- (?P<name>\w+): flag (?P<flag>[^;]+); anthem (?P<melody>\w+)"
    r"(?:; (?P<attribute>(?!northern)\w+) (?P<fact>\w+))?(?:; northern neighbour (?P<north>\w+))?"
)
_MEASURED = re.compile(r"\d\.\d")


class _Case(NamedTuple):
    """Findings that fit a question's text, whatever a clip shows, and the answer that follows."""

    findings: list[Finding]
    answer: str


def atlas_lines(
    rng: np.random.Generator, flags: int, melodies: int, attribute: str | None, *, north: bool
) -> list[str]:
    """Return the lines of an atlas with every pair of so many flags and melodies.

    Args:
        attribute: what is told of every region beside them, if anything.
        north: whether the neighbours are told.
    """
    kinds = [
        (flag, melody)
        for flag in several_of(rng, FLAGS, flags)
        for melody in several_of(rng, tuple(MELODIES), melodies)
    ]
    names = several_of(rng, NAMES, len(kinds))
    facts = several_of(rng, VALUES[attribute], len(VALUES[attribute])) if attribute else ()
    lines = []
    for place, (flag, melody) in enumerate(several_of(rng, kinds, len(kinds))):
        line = f"- {names[place]}: flag {', '.join(flag)}; anthem {melody}"
        line += f"; {attribute} {facts[place % len(facts)]}" if attribute else ""
        lines.append(line + (f"; northern neighbour {one_of(rng, names)}" if north else ""))
    return lines


def widened_atlas(item: Item, rng: np.random.Generator) -> Item:
    """Return a question about an atlas with other regions, and mostly more of them."""
    lines = list(_ATLAS_LINE.finditer(item.question))
    made = atlas_lines(
        rng,
        int(rng.integers(2, 4)),
        int(rng.integers(2, 4)),
        lines[0]["attribute"],
        north=lines[0]["north"] is not None,
    )
    before, after = item.question[: lines[0].start()], item.question[lines[-1].end() :]
    return item.model_copy(update={"question": before + "\n".join(made) + after})


def _atlas_cases(item: Item) -> list[_Case]:
    """Return a case for each region of the question's atlas."""
    steps = [finding.step for finding in findings_of(item)]
    lines = {m["name"]: m for m in _ATLAS_LINE.finditer(item.question)}
    cases = []
    for line in lines.values():
        told = [line["flag"], line["melody"], line["name"]]
        at = line
        if line["north"]:
            told.append(line["north"])
            at = lines[line["north"]]
        if at["attribute"]:
            told.append(at["fact"])
        findings = [Finding(step, finding) for step, finding in zip(steps, told, strict=True)]
        cases.append(_Case(findings, told[-1]))
    return cases


def _key(item: Item) -> tuple[str, frozenset[str], tuple[str, ...]]:
    return item.question, frozenset(item.options or ()), tuple(item.reasoning_steps or ())


def _measured(findings: Sequence[Finding], rng: np.random.Generator) -> list[Finding]:
    """Return the findings with measured numbers a little beside the truth, as in practice."""

    def near(match: re.Match[str]) -> str:
        return f"{max(float(match.group()) + 0.1 * int(rng.integers(-1, 2)), 0.1):.1f}"

    return [Finding(step, _MEASURED.sub(near, finding)) for step, finding in findings]


def _cases(samples: Sequence[Sample], rng: np.random.Generator) -> list[_Case]:
    """Return the cases of the first sample's question that the samples give."""
    first = samples[0].item
    if first.column == "geoiq":
        cases = _atlas_cases(first)
        return several_of(rng, cases, min(_MOST, len(cases)))
    alike = [sample.item for sample in samples if _key(sample.item) == _key(first)]
    cases = [_Case(_measured(findings_of(item), rng), answer_of(item)) for item in alike]
    different = {tuple(case.findings): case for case in cases}
    return list(different.values())[:_MOST]


def conclusions(
    samples: Sequence[Sample], prompts: PromptSet, rng: np.random.Generator
) -> list[Exchange]:
    """Return exchanges without a clip: what is perceived is given, what follows is learnt.

    As findings that are written already (`conclude`), and as captions that a direct answer has to
    be read from (`caption_qa`).

    Args:
        samples: the first has the question, any others of the same question more findings.
    """
    item = samples[0].item
    text = question_text(item)
    asked = asked_as(item, text)
    prompt_of_loop = prompts.render("reasoner", {"question": asked})
    made = []
    cases = _cases(samples, rng)
    in_loop = rng.random() < 0.3
    for place, case in enumerate(cases):
        count = next(
            (k for k, finding in enumerate(case.findings) if _CONCLUDED.fullmatch(finding.step)),
            len(case.findings),
        )
        seen, answer = case.findings[:count], f"Answer: {case.answer}"
        if place < 2:
            said = f"{caption(seen)}\n\n{text}"
            made.append(Exchange("caption_qa", said, answer, False, sees_clip=False))
        given, reply = lines_of(seen) + "\n", lines_of(case.findings)
        if in_loop and count < len(case.findings):
            made.append(Exchange("conclude", prompt_of_loop, reply, True, False, given))
            continue
        steps = [finding.step for finding in case.findings]
        preface = prompts.render("inject", {"steps": steps, "step_answers": ()})
        asked_to = f"{preface}\n\n{text}"
        made.append(Exchange("conclude", asked_to, f"{reply}\n{answer}", False, False, given))
    if rng.random() < 0.3:
        made.append(_summary(asked, findings_of(item), prompts, rng))
    return made


def judgements(sample: Sample, prompts: PromptSet, rng: np.random.Generator) -> list[Exchange]:
    """Return one caption beside several thoughts of what it should say, with the scores."""
    findings = [finding for finding in findings_of(sample.item) if label_of(finding.step)]
    prompt = prompts.render("evaluator", {"caption": caption(findings), "question": ""})
    made = []
    for _ in range(8):
        truth, share = [], float(rng.random())
        for finding in findings:
            wrong = rng.random() < share and share > 0.35
            truth.append(
                Finding(finding.step, corrupted(finding.answer, rng)) if wrong else finding
            )
        right = sum(a == b for a, b in zip(findings, truth, strict=True))
        score = 10 if right == len(findings) else 1 + (7 * right) // len(findings)
        reply = verdict(caption(_measured(truth, rng)), score)
        given = reply[: -len(str(score))]
        made.append(Exchange("evaluate", prompt, reply, True, False, given))
    return made


def _summary(
    asked: str, findings: Sequence[Finding], prompts: PromptSet, rng: np.random.Generator
) -> Exchange:
    """Return findings, right or wrong, with the caption that says them."""
    maybe = degraded(findings, findings, rng)
    values = {
        "question": asked,
        "steps": [n.step for n in maybe],
        "step_answers": [n.answer for n in maybe],
        "final_answer": None,
    }
    prompt = prompts.render("summarizer", values)
    return Exchange("summarize", prompt, caption(maybe), True, sees_clip=False)


def shuffled_atlas(item: Item, rng: np.random.Generator) -> Item:
    """Return a question about an atlas with the same names in other places.

    Otherwise the names could be learnt by heart instead of being looked up in the question.
    """
    exchange: dict[str, str] = {}
    for names in (NAMES, *VALUES.values()):
        exchange |= {names[k]: names[int(to)] for k, to in enumerate(rng.permutation(len(names)))}
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, exchange)) + r")\b")

    def new(text: str) -> str:
        return pattern.sub(lambda match: exchange[match.group()], text)

    return item.model_copy(
        update={
            "question": new(item.question),
            "answer": new(item.answer),
            "step_answers": tuple(map(new, item.step_answers or ())),
            "facts": {key: new(value) for key, value in item.facts.items()},
        }
    )
