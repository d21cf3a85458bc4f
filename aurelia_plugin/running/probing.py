"""Probing a target: whether picture and sound of a clip really reach the model."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from aurelia_plugin.calling.backend import (
    Backend,
    Evidence,
    Generation,
    Message,
    Prompt,
    Reply,
    Text,
)
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.retries import RetryPolicy
from aurelia_plugin.errors import AureliaError
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.clip import Clip, Media
from aurelia_plugin.media.video import uniform_frames

__all__ = ["ARMS", "NOT_SENT", "Arm", "Finding", "GivesLogits", "KnowsMemory", "Probe", "probe"]

_QUESTION = "Describe in one sentence what you see and what you hear."

ARMS = ("full", "again", "muted", "blanked", "swapped", "text", "picture", "sound")
"""What is sent: the clip as it is, twice; its sound silent; its picture black; another clip's
sound; no media; the picture alone; the sound alone."""

NOT_SENT = "not sent"
"""The error of the arms that follow a clip that failed as it is."""

_PICTURE_FRAMES = 16
_NOISE = 10.0
"""Logits count as changed when they differ by more than this many times what a repeated call
differs by."""


@runtime_checkable
class GivesLogits(Protocol):
    """A backend that can show what it would write next: less can hide there than in a reply."""

    def next_token_logits(self, prompt: Prompt) -> npt.NDArray[np.float32] | None:
        """Return the logits of the first token of the reply: float32 [vocabulary]; None if it
        turns out that they cannot be had."""


@runtime_checkable
class KnowsMemory(Protocol):
    """A backend whose model lives in another process, and that knows how much memory it takes."""

    @property
    def memory_mb(self) -> float | None:
        """Peak memory in megabytes; None if it is not known."""


@dataclass(frozen=True)
class Arm:
    """One way of sending the clip, and what came back.

    Attributes:
        reply: None if the call failed.
        logits: None where the backend gives none.
        seconds: how long the call took.
        error: why the call failed, else "".
    """

    reply: Reply | None
    logits: npt.NDArray[np.float32] | None
    seconds: float
    error: str = ""


class Finding(NamedTuple):
    """Whether one medium reaches the model, why that is said, and what it costs in tokens.

    `changed` are the arms in which this medium differs and the outcome did, too.
    """

    reached: bool
    reason: str
    tokens: int | None
    changed: tuple[str, ...]


class Probe(NamedTuple):
    """The outcome for one target. `memory_mb` is the process's peak in megabytes (of the GPU, if
    the model ran there), None where the platform does not tell."""

    target: str
    arms: Mapping[str, Arm]
    picture: Finding
    sound: Finding
    memory_mb: float | None

    @property
    def passed(self) -> bool:
        """Whether both media reach the model."""
        return self.picture.reached and self.sound.reached

    @property
    def evidence(self) -> Evidence:
        """What was delivered of the clip as it is."""
        reply = self.arms["full"].reply
        return reply.evidence if reply is not None else Evidence()

    @property
    def seconds(self) -> float:
        """How long the call with the clip as it is took, a model's loading not included."""
        return self.arms["again"].seconds


async def probe(backend: Backend, clip: Clip, other: Clip, *, retry: RetryPolicy) -> Probe:
    """Send a clip with picture and sound in all arms and compare what comes back.

    A failed arm is recorded; when the clip as it is fails, nothing reaches the model.

    Args:
        clip: one video with a soundtrack.
        other: a clip with another sound.
    """
    clips = _variants(clip, other)
    arms: dict[str, Arm] = {}
    for name in ARMS:
        arms[name] = await _send(backend, clips[name], retry)
        if arms[name].error and name == "full":
            arms |= {rest: Arm(None, None, 0.0, NOT_SENT) for rest in ARMS if rest != name}
            break
    return Probe(
        backend.identity,
        arms,
        _finding(arms, "picture", ("blanked",)),
        _finding(arms, "sound", ("muted", "swapped")),
        backend.memory_mb if isinstance(backend, KnowsMemory) else _peak_memory(),
    )


def _variants(clip: Clip, other: Clip) -> dict[str, Clip]:
    video = clip.videos[0]
    frames = uniform_frames(video, _PICTURE_FRAMES)
    sound = waveform(video)
    return {
        "full": clip,
        "again": clip,
        "muted": clip.muted(),
        "blanked": clip.blanked(),
        "swapped": clip.with_sound_of(other),
        "text": clip.without_media(),
        "picture": Clip((Media("video", data=frames),)),
        "sound": Clip((Media("audio", data=sound),)) if sound is not None else Clip(),
    }


async def _send(backend: Backend, clip: Clip, retry: RetryPolicy) -> Arm:
    message = Message("user", (*clip.media, Text(_QUESTION)))
    prompt = Prompt((message,), Generation(max_new_tokens=32))
    started = time.monotonic()
    try:
        reply = await Caller(retry).answer(backend, prompt)
        seconds = time.monotonic() - started
        logits = backend.next_token_logits(prompt) if isinstance(backend, GivesLogits) else None
    except AureliaError as error:
        return Arm(None, None, time.monotonic() - started, f"{error.what} {error.fix}".strip())
    return Arm(reply, logits, seconds)


def _finding(arms: Mapping[str, Arm], medium: str, without: tuple[str, ...]) -> Finding:
    full = arms["full"]
    tokens = _tokens(arms, medium)
    if full.reply is None:
        return Finding(False, f"the call failed: {full.error}", tokens, ())
    words = {"picture": ("video", "image"), "sound": ("sound", "soundtrack")}[medium]
    evidence = full.reply.evidence
    declared = [entry for entry in evidence.dropped if entry.startswith(words)]
    dropped = [entry for entry in declared if not _only_shortened(entry)]
    if dropped:
        return Finding(False, f"declared as not delivered ({'; '.join(dropped)})", tokens, ())
    amount = evidence.clips if medium == "sound" else evidence.frames + evidence.images
    found = Finding(False, f"the backend delivered no {medium}", tokens, ())
    if amount:
        found = _outcome(arms, medium, without, tokens)
    if not declared:
        return found
    return found._replace(reason=f"{found.reason}; not all of it: {'; '.join(declared)}")


def _only_shortened(entry: str) -> bool:
    """Whether an entry of `Evidence.dropped` tells of a part of a medium, not of a whole one.

    That is `sound beyond 30 s: why` instead of `sound: why`.
    """
    return re.fullmatch(r"\w+( \d+)?", entry.partition(":")[0].strip()) is None


def _outcome(
    arms: Mapping[str, Arm], medium: str, without: tuple[str, ...], tokens: int | None
) -> Finding:
    """Return what the arms without a medium say of one that was handed over."""
    full = arms["full"]
    steady = not _differ(arms, "again")
    changed = tuple(name for name in without if arms[name].reply and _differ(arms, name))
    if steady and changed:
        what = "logits" if full.logits is not None else "the reply"
        return Finding(True, f"{what} changed when {' and '.join(changed)}", tokens, changed)
    if steady:
        gone = "silent or exchanged" if medium == "sound" else "black"
        return Finding(
            False, f"handed over, but the outcome is the same when it is {gone}", tokens, ()
        )
    if tokens:
        return Finding(True, f"it costs {tokens} tokens (replies vary anyway)", tokens, changed)
    return Finding(False, "cannot be told: replies vary, and no tokens are counted", tokens, ())


def _differ(arms: Mapping[str, Arm], name: str) -> bool:
    """Tell whether an arm's outcome differs from that of the clip as it is, beyond noise."""
    full, other = arms["full"], arms[name]
    if full.reply is None or other.reply is None:
        return True
    if full.logits is None or other.logits is None:
        return full.reply.text != other.reply.text
    if name == "again":
        return full.reply.text != other.reply.text
    repeated = arms["again"].logits
    noise = 0.0 if repeated is None else float(np.abs(full.logits - repeated).max())
    return float(np.abs(full.logits - other.logits).max()) > max(_NOISE * noise, 1e-6)


def _tokens(arms: Mapping[str, Arm], medium: str) -> int | None:
    """Return what a medium adds to a prompt, None where the backend counts no tokens."""
    alone, text = arms[medium].reply, arms["text"].reply
    if alone is None or text is None or not alone.usage.input_tokens:
        return None
    return alone.usage.input_tokens - text.usage.input_tokens


def _peak_memory() -> float | None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated()) / 2**20
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
