"""Whatever reads text of strangers takes time that grows with the text's length, and not faster."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aurelia_plugin.benchmark.reading import as_choice, as_name, as_sentence
from aurelia_plugin.calling.thinking import without_thinking
from aurelia_plugin.compare.audits.answer_kinds import Gold
from aurelia_plugin.compare.audits.leaks import find_leak
from aurelia_plugin.files.escaping import for_csv, for_latex, for_markdown, for_terminal
from aurelia_plugin.files.shown import shown
from aurelia_plugin.reasoning.parsing import read_lines, read_object, read_steps, read_verdict
from aurelia_plugin.reasoning.roles import JsonKeys
from aurelia_plugin.redaction import without_secrets

_OPTIONS = {"A": "a red violin", "B": "a drum", "C": "both at the same time", "D": "neither"}
_GOLDS = {
    "option": Gold("option", "a drum", "B", tuple(_OPTIONS.values()), letters=tuple(_OPTIONS)),
    "yes_no": Gold("yes_no", "yes", wordings=("yes",)),
    "number": Gold("number", "3", wordings=("3", "three")),
    "name": Gold("name", "Peru", wordings=("peru",), rivals=(("chile",), ("bolivia",))),
    "free_text": Gold("free_text", "a red one", facts={"colour": "red", "order": "sound first"}),
}


def _leak(gold: Gold, text: str) -> object:
    return find_leak(text.split("\n"), gold, text)


READERS: Final[dict[str, Callable[[str], object]]] = {
    "secrets": without_secrets,
    "thinking": without_thinking,
    "steps": lambda text: read_steps(text, JsonKeys()),
    "lines": read_lines,
    "object": lambda text: read_object(text, "score"),
    "verdict": read_verdict,
    "choice": lambda text: as_choice(text, _OPTIONS),
    "name": as_name,
    "sentence": as_sentence,
    "terminal": for_terminal,
    "markdown": for_markdown,
    "latex": for_latex,
    "cell": for_csv,
    "one line": shown,
    **{f"leak of {kind}": partial(_leak, gold) for kind, gold in _GOLDS.items()},
}

_PIECES = st.sampled_from(
    ["{", "}", "[", "]", '"', "\\", '"score": ', "8", "/10", "<think>", "</think>", "<", "`", "```",
     "Answer: ", "(A)", "B", " not ", "neither ", "a drum", "Score: ", "**", "\n", " ", ".", ",",
     "- ", "1. ", "|", "twenty-", "one", "N/A", "<|channel|>", "key=", "\x1b[", "é", "or ", "= ",
     "\\boxed{", "three ", "Peru", "[THINK]", "step ", ": ", "&", "#", "final answer"]
)  # fmt: skip
_SMALL, _LARGE = 4_000, 32_000


def _seconds(read: Callable[[str], object], text: str) -> float:
    best = math.inf
    for _ in range(3):
        begun = time.process_time()
        read(text)
        best = min(best, time.process_time() - begun)
    return best


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(_PIECES, min_size=1, max_size=4),
    st.lists(_PIECES, max_size=3),
    st.lists(_PIECES, max_size=3),
)
def test_the_exponent_of_growth(
    name: str, repeated: list[str], first: list[str], last: list[str]
) -> None:
    """Eight times the text takes about eight times as long; quadratic readers take 64 times."""
    unit, head, tail = "".join(repeated), "".join(first), "".join(last)

    def text(size: int) -> str:
        return head + unit * (size // len(unit)) + tail

    read = READERS[name]
    small, large = _seconds(read, text(_SMALL)), _seconds(read, text(_LARGE))
    assert math.log(max(large, 2e-3) / max(small, 2e-3)) / math.log(8) < 1.5
