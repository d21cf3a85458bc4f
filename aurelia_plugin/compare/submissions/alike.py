"""What a submission was asked, and in what another one was asked something else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from aurelia_plugin.compare.submissions.reading import Entry, Refusal
from aurelia_plugin.compare.submissions.record import Submission
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.files.shown import shown

__all__ = ["Sorted", "sort_alike"]

_NAMED: Final = 3


class Sorted(NamedTuple):
    """The submissions that were asked as `reference` was, itself among them, and the others."""

    reference: Entry
    entries: list[Entry]
    refusals: list[Refusal]


def sort_alike(entries: Sequence[Entry], like: str | None = None) -> Sorted:
    """Tell the submissions that were asked alike from others.

    Args:
        entries: all of them; one at least.
        like: the file that the others have to be like; by default one of the largest group of
            submissions over the same questions, the first by name.

    Raises:
        ConfigError: there is no such file among them.
    """
    names = [entry.file for entry in entries]
    if like is not None and like not in names:
        raise ConfigError(
            f"--like {like}: is no submission that could be read.",
            f"Choose from: {', '.join(names)}",
        )
    if like is not None:
        reference = entries[names.index(like)]
    else:
        groups = Counter(_questions(entry.submission) for entry in entries)
        most = max(groups.values())
        reference = next(e for e in entries if groups[_questions(e.submission)] == most)
    kept, refusals = [], []
    for entry in entries:
        reasons = list(_differences(reference.submission, entry.submission))
        if reasons:
            text = f"was not asked as {reference.file} was: {'; '.join(reasons)}"
            refusals.append(Refusal(entry.file, text))
        else:
            kept.append(entry)
    return Sorted(reference, kept, refusals)


def _questions(submission: Submission) -> str:
    return digest_of(
        [sorted((item.id, item.column, item.text) for item in submission.items), submission.media]
    )


def _differences(one: Submission, two: Submission) -> Iterator[str]:
    """Yield in what the second was asked something else than the first."""
    if one.benchmark != two.benchmark:
        yield f"benchmark {shown(two.benchmark, 80)} instead of {shown(one.benchmark, 80)}"
    yield from _item_differences(one, two)
    if (one.media or "full") != (two.media or "full"):
        yield f"media={shown(two.media, 40)} instead of {shown(one.media, 40)}"
    first = {task.name: task for task in one.tasks}
    second = {task.name: task for task in two.tasks}
    for name in sorted(first.keys() & second.keys()):
        before, after = first[name], second[name]
        aspects: Mapping[str, tuple[object, object]] = {
            "version": (before.version, after.version),
            "metric": (before.metric, after.metric),
            "parser": (before.parser, after.parser),
            "generation": (dict(before.generation), dict(after.generation)),
        }
        for what, (mine, theirs) in aspects.items():
            if mine != theirs:
                yield f"{what} of {shown(name, 80)}: {shown(theirs, 120)}, not {shown(mine, 120)}"


def _item_differences(one: Submission, two: Submission) -> Iterator[str]:
    mine = {(item.id, item.column): item for item in one.items}
    theirs = {(item.id, item.column): item for item in two.items}
    for what, keys in (
        ("questions missing", mine.keys() - theirs.keys()),
        ("questions more", theirs.keys() - mine.keys()),
    ):
        if keys:
            yield f"{len(keys)} {what} ({_some(keys)})"
    both = sorted(mine.keys() & theirs.keys())
    texts = {key for key in both if mine[key].text != theirs[key].text}
    if texts:
        yield f"{len(texts)} questions with another text or gold answer ({_some(texts)})"
    clips = {
        key
        for key in both
        if key not in texts
        and None not in (mine[key].content, theirs[key].content)
        and mine[key].content != theirs[key].content
    }
    if clips:
        yield f"{len(clips)} questions over another clip ({_some(clips)})"


def _some(keys: set[tuple[str, str]]) -> str:
    names = [shown(name, 60) for name, _ in sorted(keys)[:_NAMED]]
    return ", ".join([*names, *(["..."] if len(keys) > _NAMED else [])])
