"""What calls took of a machine, whoever pays for it and whether their replies were kept or not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from aurelia_plugin.calling.backend import Evidence, Usage
from aurelia_plugin.files.records import Record

__all__ = ["Compute", "Computed", "compute_of"]


class Computed(Protocol):
    """A reply, or an agent's call."""

    @property
    def usage(self) -> Usage:
        """Tokens read and written."""

    @property
    def evidence(self) -> Evidence:
        """What reached the model."""

    @property
    def passes(self) -> int | None:
        """Forward passes; None where they are not known."""


class Compute(Record):
    """Sums over calls.

    Attributes:
        calls: answers that a model gave.
        input_tokens, output_tokens: read and written.
        frames, images, sound_seconds: what was handed to models, as often as it was.
        passes: forward passes of the models, each row of a batch for itself; None where a call's
            are not known.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    frames: int = 0
    images: int = 0
    sound_seconds: float = 0.0
    passes: int | None = 0

    def __add__(self, other: Compute) -> Compute:
        known = self.passes is not None and other.passes is not None
        return Compute(
            calls=self.calls + other.calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            frames=self.frames + other.frames,
            images=self.images + other.images,
            sound_seconds=round(self.sound_seconds + other.sound_seconds, 6),
            passes=(self.passes or 0) + (other.passes or 0) if known else None,
        )


def compute_of(calls: Iterable[Computed]) -> Compute:
    """Return what calls took in all."""
    total = Compute()
    for call in calls:
        total += Compute(
            calls=1,
            input_tokens=call.usage.input_tokens,
            output_tokens=call.usage.output_tokens,
            frames=call.evidence.frames,
            images=call.evidence.images,
            sound_seconds=call.evidence.sound_seconds,
            passes=call.passes,
        )
    return total
