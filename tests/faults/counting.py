"""What the fault suite counts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Tally:
    """One kind of fault.

    Attributes:
        fault: its name.
        tried: faults that were really met: a request that was answered wrongly, a write that
            failed, a process that was killed.
        questions: questions that were asked under these faults.
        survived: questions that ended with the right answer (or trace), in the run with the faults
            or in the next one of the same command.
        lost: questions that did not.
        wrong: questions that were answered, at any time, with another answer than the right one.
        repeated: agent calls that were made again although they had finished and been stored.
    """

    fault: str
    tried: int = 0
    questions: int = 0
    survived: int = 0
    lost: int = 0
    wrong: int = 0
    repeated: int = 0

    @property
    def sound(self) -> bool:
        """Whether faults were met, and none of them did harm."""
        return self.tried > 0 and not (self.lost or self.wrong or self.repeated)

    def record(self) -> dict[str, Any]:
        return asdict(self)


def table(tallies: list[Tally]) -> str:
    """The tallies, and their sums, as lines."""
    columns = ("tried", "questions", "survived", "lost", "wrong", "repeated")
    rows: list[tuple[str, ...]] = [("fault", *columns)]
    rows += [(tally.fault, *(str(getattr(tally, c)) for c in columns)) for tally in tallies]
    rows += [("all", *(str(sum(getattr(t, c) for t in tallies)) for c in columns))]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
