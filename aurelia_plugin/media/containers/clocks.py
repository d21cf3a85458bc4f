"""Files whose time stamps begin anew on the way, on one clock.

Recordings that were written one after the other into one file (`cat a.ts b.ts`), and streams whose
sender began anew, have several clocks. Each stretch of a stream with one clock is a `Piece`.
Picture and sound of a stretch share its clock, and each stretch begins where the one before ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from aurelia_plugin.media.isolation.wire import passes

__all__ = ["BACK_S", "FORTH_S", "Piece", "PieceClock", "aligned"]

BACK_S = 0.5
"""Time stamps that go back by more than this begin anew: no decoding order reaches as far."""

FORTH_S = 10.0
"""Where time stamps may begin anew, a longer gap is taken for it, as FFmpeg does."""


_PADDING_S = 0.15


@passes
class Piece(NamedTuple):
    """A stretch of a stream on one clock.

    `first` and `end` are in the file's own time stamps, in seconds; `offset` leads from them to
    the clock of the whole file; `position` is the byte at which it begins.
    """

    first: float
    end: float
    position: int
    offset: float = 0.0


class PieceClock:
    """Turns the time stamps of one stream, in order, into the time of the whole file."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = pieces
        self._index = 0
        self._last: float | None = None

    def __call__(self, stamp: float) -> float:
        """Return the time of the whole file at a time stamp of the file, both in seconds."""
        if self._last is not None and not -BACK_S <= stamp - self._last <= FORTH_S:
            for index in range(self._index + 1, len(self._pieces)):
                piece = self._pieces[index]
                if piece.first - BACK_S <= stamp <= piece.end + BACK_S:
                    self._index = index
                    break
        self._last = stamp
        return stamp + (self._pieces[self._index].offset if self._pieces else 0.0)


def aligned(*streams: Sequence[Piece]) -> tuple[tuple[Piece, ...], ...]:
    """Return the pieces of the streams of one file with their offsets.

    Args:
        streams: the pieces of each stream, in order, without offsets; the picture first.
    """
    kept = [_without_gaps(stream, streams) for stream in streams]
    longest = max(kept, key=len, default=[])
    if len(longest) < 2:
        return tuple(tuple(stream) for stream in kept)
    starts = [piece.position for piece in longest]
    groups = [_assigned(stream, starts) for stream in kept]
    found: list[list[Piece]] = [[] for _ in kept]
    reached = 0.0
    for number in range(len(starts)):
        members = [group[number] for group in groups]
        pieces = [piece for member in members for piece in member]
        begin = min(piece.first for piece in pieces)
        offset = reached - begin if number else 0.0
        for stream, member in zip(found, members, strict=True):
            stream += [piece._replace(offset=offset) for piece in member]
        reached = _end(members) + offset
    return tuple(tuple(stream) for stream in found)


def _end(members: Sequence[Sequence[Piece]]) -> float:
    """Return where a stretch ends; what only pads the last block of sound does not count."""
    ends = [max(piece.end for piece in member) for member in members if member]
    return ends[0] if max(ends) - ends[0] < _PADDING_S else max(ends)


def _without_gaps(stream: Sequence[Piece], streams: Sequence[Sequence[Piece]]) -> list[Piece]:
    """Join pieces between which packets were lost: another stream goes on in that time."""
    others = [piece for other in streams if other is not stream for piece in other]
    joined: list[Piece] = []
    for piece in stream:
        before = joined[-1] if joined else None
        if before is not None and before.end < piece.first:
            gap = (before.end + 1.0, piece.first - 1.0)
            if any(other.first < gap[1] and other.end > gap[0] for other in others):
                joined[-1] = before._replace(end=piece.end)
                continue
        joined.append(piece)
    return joined


def _assigned(stream: Sequence[Piece], starts: Sequence[int]) -> list[list[Piece]]:
    """Return the pieces by the stretch of the file in which they lie."""
    if len(stream) == len(starts):
        return [[piece] for piece in stream]
    groups: list[list[Piece]] = [[] for _ in starts]
    for piece in stream:
        nearest = min(range(len(starts)), key=lambda number: abs(starts[number] - piece.position))
        groups[nearest].append(piece)
    return groups
