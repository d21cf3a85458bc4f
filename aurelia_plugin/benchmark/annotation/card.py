"""The data set card of an annotated folder, in the form of the Hugging Face hub.

Categories, data sets' names and licences come from the manifest and are strangers' text: they are
escaped for Markdown.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from aurelia_plugin import __version__
from aurelia_plugin.benchmark.annotation.fates import ItemFate, Tally, tallies
from aurelia_plugin.benchmark.data.items import MANIFEST, Item, read_items
from aurelia_plugin.files.atomic import write_atomically
from aurelia_plugin.files.escaping import for_markdown

__all__ = ["ACCOUNT", "write_card"]

ACCOUNT: Final = "annotation.json"
"""Name of the file with what became of each item."""

_MARK: Final = "<!-- Written by `aurelia data annotate`; another run replaces it. -->"
_CARD: Final = "README.md"
_OTHER: Final = "ANNOTATION.md"
"""Takes the card's place where a README is there that somebody wrote."""

_HEAD: Final = {
    "pretty_name": "Audio-visual questions with reasoning steps",
    "language": ["en"],
    "task_categories": ["visual-question-answering", "audio-text-to-text", "video-text-to-text"],
    "tags": ["audio-visual", "reasoning", "aurelia"],
    "configs": [
        {"config_name": "default", "data_files": [{"split": "test", "path": MANIFEST}]},
    ],
}


def write_card(folder: Path, fates: Sequence[ItemFate]) -> list[Path]:
    """Write the card and the account of every item into the folder, and return their paths.

    A README that somebody else wrote stays; the card is then `ANNOTATION.md`.
    """
    items = list(read_items(folder / MANIFEST))
    counts = tallies(fates)
    account = {
        "version": __version__,
        "categories": {name: tally.model_dump() for name, tally in counts.items()},
        "items": [
            {
                "id": fate.item,
                "category": fate.category,
                "fate": fate.fate,
                "attempts": fate.attempts,
                "leak": fate.audit.leak if fate.audit else None,
                "leak_rule": fate.audit.rule if fate.audit else None,
            }
            for fate in fates
        ],
    }
    card = folder / _CARD
    if card.is_file() and _MARK not in card.read_text("utf-8", "replace"):
        card = folder / _OTHER
    write_atomically(folder / ACCOUNT, (json.dumps(account, indent=1) + "\n").encode("ascii"))
    write_atomically(card, _card(items, counts).encode("utf-8"))
    return [card, folder / ACCOUNT]


def _card(items: Sequence[Item], counts: Mapping[str, Tally]) -> str:
    made = [item for item in items if item.reasoning_source is not None]
    head = yaml.safe_dump(
        {**_HEAD, "license": "other", "size_categories": [_size(len(items))]}, sort_keys=False
    )
    parts = [
        f"---\n{head}---",
        _MARK,
        "# Audio-visual questions with reasoning steps",
        f"{len(items)} questions, {len(made)} of them with reasoning steps that agents wrote. "
        f"Written by aurelia-lmms-eval {__version__}; one question a line in `{MANIFEST}`.",
        "## Steps per category",
        "\n".join(_category_rows(counts)),
        "Accepted: the evaluator gave the caption of the steps the threshold or more; the share "
        "is of the questions whose loop ended. Left out: accepted, but giving the answer away.",
        "## How the steps were made",
        "\n".join(_provenance(made)),
        "## Whether steps give the answer away",
        "\n\n".join(_audit(made, counts)),
        "## Sources",
        "\n".join(_sources(items)),
        "Media are not part of this card: whoever publishes the folder has to have the right to. "
        "State the licence of the whole in the head of this file.",
        "## Limits",
        "Steps come from models and were not read by people. The evaluator judges how well a "
        "caption of the steps fits the clip, not whether the answer is right. The audit looks at "
        "words; it cannot see an answer that is paraphrased.",
    ]
    return "\n\n".join(parts) + "\n"


def _size(count: int) -> str:
    bounds = (1_000, 10_000, 100_000)
    names = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M")
    return names[sum(count >= bound for bound in bounds)]


def _category_rows(counts: Mapping[str, Tally]) -> Iterator[str]:
    yield (
        "| category | questions | with steps | by people | accepted | share accepted | left out "
        "| redone | unclear |"
    )
    yield f"|---|{'---:|' * 8}"
    for name, tally in counts.items():
        share = "-" if tally.share is None else f"{100 * tally.share:.1f}%"
        cells = (tally.items, tally.annotated + tally.kept, tally.kept, tally.accepted, share)
        more = (tally.leaking, tally.redone, tally.unclear)
        yield f"| {for_markdown(name)} | {' | '.join(map(str, (*cells, *more)))} |"


def _provenance(made: Sequence[Item]) -> Iterator[str]:
    sources = [item.reasoning_source for item in made if item.reasoning_source is not None]
    yield "| agent | model | questions |"
    yield "|---|---|---:|"
    for role in ("reasoner", "summarizer", "evaluator"):
        for identity, number in _common(getattr(source, role) for source in sources):
            yield f"| {role} | {for_markdown(identity)} | {number} |"
    yield ""
    for what, values in (
        ("Threshold", [str(source.threshold) for source in sources]),
        ("Score of the steps kept", [str(source.score) for source in sources]),
        ("Iterations", [str(source.iterations) for source in sources]),
        ("Digest of the prompts", [source.prompts_digest for source in sources]),
    ):
        found = ", ".join(f"{for_markdown(text)} ({number})" for text, number in _common(values))
        yield f"* {what}: {found or '-'}"
    yield (
        "* Every question names the key of the trace that holds its whole loop "
        "(`reasoning_source.trace`); `aurelia traces push` publishes the traces."
    )


def _common(values: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0]))


def _audit(made: Sequence[Item], counts: Mapping[str, Tally]) -> Iterator[str]:
    leaks = Counter(
        item.reasoning_source.leak or "not judged" for item in made if item.reasoning_source
    )
    yield (
        "Every question's steps were judged by rules, one for each kind of answer. Of the steps "
        f"that agents wrote and that are here, {leaks['clean']} are clean and {leaks['unclear']} "
        f"unclear (the answer stands beside others); {leaks['not judged']} were never judged."
    )
    left_out = sum(tally.leaking for tally in counts.values())
    redone = sum(tally.redone for tally in counts.values())
    yield (
        f"Steps that gave the answer away were written anew, which mended {redone}; the steps of "
        f"{left_out} more questions were left out."
    )
    people = sum(tally.leaks for tally in counts.values())
    if people:
        yield f"{people} questions have steps by people that give the answer away; they stay."


def _sources(items: Sequence[Item]) -> Iterator[str]:
    yield "| data set | licence | questions |"
    yield "|---|---|---:|"
    found = Counter((item.source.dataset, item.source.licence or "not stated") for item in items)
    for (dataset, licence), number in sorted(found.items()):
        yield f"| {for_markdown(dataset)} | {for_markdown(licence)} | {number} |"
