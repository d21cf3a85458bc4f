"""`aurelia probe`: whether picture and sound really reach a target."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aurelia_plugin.commands.console import say
from aurelia_plugin.commands.messages import quiet_harness
from aurelia_plugin.commands.parser import Subcommands
from aurelia_plugin.errors import AureliaError, ConfigError
from aurelia_plugin.files.escaping import for_markdown

if TYPE_CHECKING:  # the command line asks every command for its arguments: no slow imports there
    from aurelia_plugin.media.clip import Clip
    from aurelia_plugin.running.probing import Finding, Probe

__all__ = ["add", "clips", "report"]

_COLUMNS = (
    "target",
    "picture",
    "sound",
    "frames",
    "sound s",
    "picture tokens",
    "sound tokens",
    "seconds",
    "MB",
    "why",
)


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "probe",
        help="show whether picture and sound of a clip really reach a target",
        description="Send a clip as it is, muted, blanked, with another clip's sound and without "
        "media, and report what was delivered, what changed, tokens, time and memory. The exit "
        "status is 0 only if both media reach the model.",
    )
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--target", help="a target's id, with or without aurelia_, or a backend spec"
    )
    which.add_argument(
        "--all", action="store_true", help="all targets that can run here, as a Markdown table"
    )
    command.add_argument("--clip", type=Path, help="a video with sound; by default one is made")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    quiet_harness()
    with tempfile.TemporaryDirectory() as folder:
        clip, other = clips(Path(folder), options.clip)
        if options.all:
            return _run_all(clip, other)
        probed = _probe(options.target, clip, other)
    say(report(options.target, probed))
    return 0 if probed.passed else 1


def _run_all(clip: Clip, other: Clip) -> int:
    from aurelia_plugin.model_wrappers.catalogue import rows
    from aurelia_plugin.model_wrappers.readiness import lacks

    targets = [row.id for row in rows().values() if not lacks(row)]
    say(f"| {' | '.join(_COLUMNS)} |")
    say(f"|{'---|' * len(_COLUMNS)}")
    passed = bool(targets)
    for target in targets:
        try:
            probed = _probe(target, clip, other)
        except AureliaError as error:
            say(_line(target, ["no", "no", *[""] * 6, error.what]))
            passed = False
            continue
        say(_line(target, _cells(probed)))
        passed = passed and probed.passed
    return 0 if passed else 1


def _probe(target: str, clip: Clip, other: Clip) -> Probe:
    import asyncio

    from aurelia_plugin.calling.retries import RetryPolicy
    from aurelia_plugin.model_wrappers.providers import BackendPool
    from aurelia_plugin.running.probing import probe

    async def run() -> Probe:
        pool = BackendPool(target, {})
        try:
            return await probe(pool.target, clip, other, retry=RetryPolicy())
        finally:
            await pool.close()

    return asyncio.run(run())


def clips(folder: Path, own: Path | None) -> tuple[Clip, Clip]:
    """Return a clip with picture and sound, and another one whose sound differs.

    Args:
        folder: where clips are made.
        own: the user's video, to be taken as the first.

    Raises:
        ConfigError: if it has no sound.
    """
    import numpy as np

    from aurelia_plugin.benchmark.synthetic import make, render
    from aurelia_plugin.benchmark.synthetic.encode import write_mp4
    from aurelia_plugin.media.audio import has_sound
    from aurelia_plugin.media.clip import Clip, Media

    clips = []
    for index in range(2):
        scene = make("music_avqa", np.random.default_rng([7, index]), index=index).scene
        path = folder / f"{index}.mp4"
        write_mp4(path, *render(scene))
        clips.append(Media.file("video", path))
    if own is not None:
        clips[0] = Media.file("video", own)
        if not has_sound(clips[0]):
            raise ConfigError(f"{own} has no sound.", "Name a video with a soundtrack.")
    return Clip((clips[0],)), Clip((clips[1],))


def report(target: str, probed: Probe) -> str:
    """Return the findings in words."""
    evidence = probed.evidence
    lines = [
        f"{target} ({probed.target})",
        f"delivered: {evidence.frames} frames, {evidence.images} images, {evidence.clips} sounds "
        f"({evidence.sound_seconds:.1f} s); not delivered: {'; '.join(evidence.dropped) or '-'}",
        *_arms(probed),
        f"time: {probed.seconds:.1f} s a call; memory: {_memory(probed)} MB at most",
        _verdict("picture", probed.picture),
        _verdict("sound", probed.sound),
        "PASS: both media reach the model" if probed.passed else "FAIL: see above",
    ]
    return "\n".join(lines)


def _arms(probed: Probe) -> Iterator[str]:
    from aurelia_plugin.running.probing import ARMS, NOT_SENT

    changed = {*probed.picture.changed, *probed.sound.changed}
    for name in ARMS:
        arm = probed.arms[name]
        if arm.error == NOT_SENT:
            continue
        if arm.reply is None:
            yield f"  {name}: failed: {arm.error}"
            continue
        mark = " (changed)" if name in changed else ""
        tokens = arm.reply.usage.input_tokens or "?"
        yield f"  {name}{mark}: {tokens} tokens in, {arm.seconds:.1f} s: {arm.reply.text[:60]!r}"


def _verdict(medium: str, finding: Finding) -> str:
    tokens = "" if finding.tokens is None else f"; {finding.tokens} tokens"
    return f"{medium}: {'reached' if finding.reached else 'NOT reached'}: {finding.reason}{tokens}"


def _cells(probed: Probe) -> list[str]:
    evidence = probed.evidence
    why = [f.reason for f in (probed.picture, probed.sound) if not f.reached]
    return [
        "yes" if probed.picture.reached else "no",
        "yes" if probed.sound.reached else "no",
        str(evidence.frames + evidence.images),
        f"{evidence.sound_seconds:.1f}",
        _count(probed.picture.tokens),
        _count(probed.sound.tokens),
        f"{probed.seconds:.1f}",
        _memory(probed),
        "; ".join(dict.fromkeys(why)),
    ]


def _line(target: str, cells: Sequence[str]) -> str:
    return f"| aurelia_{target} | {' | '.join(map(for_markdown, cells))} |"


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else str(tokens)


def _memory(probed: Probe) -> str:
    return "?" if probed.memory_mb is None else f"{probed.memory_mb:.0f}"
