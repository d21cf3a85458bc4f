from __future__ import annotations

import pytest
from making import trace

from aurelia_plugin.reasoning.trace import Iteration, Trace, best_of


def _scored(*scores: int | None) -> tuple[Iteration, ...]:
    return tuple(Iteration(steps=(f"step {i}",), score=s) for i, s in enumerate(scores))


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ((3, 5, 4), 1),
        ((5, 5), 0),
        ((None, 2), 1),
        ((4, None), 0),
        ((None, None), 0),
        ((), None),
    ],
)
def test_the_best_is_the_highest_score_and_the_earliest_on_a_tie(
    scores: tuple[int | None, ...], best: int | None
) -> None:
    assert best_of(_scored(*scores)) == best


def test_an_iteration_without_steps_is_not_the_best_of_unscored_ones() -> None:
    assert best_of((Iteration(steps=()), *_scored(None))) == 1


def test_r_star_is_the_best_iterations_steps_and_answers() -> None:
    made = trace(
        "k",
        Iteration(steps=("a",), step_answers=("b",), score=2),
        Iteration(steps=("c",), step_answers=("d",), score=7),
        best=1,
    )
    assert (made.steps, made.step_answers) == (("c",), ("d",))
    empty = trace("k", stop="failed")
    assert (empty.steps, empty.step_answers) == ((), ())


def test_a_trace_survives_storing_whatever_its_texts_hold() -> None:
    odd = trace("k", question="a\ud800", media=("name\udcff.mp4",), error="\udfff", stop="failed")
    again = Trace.model_validate_json(odd.model_dump_json())
    assert again == odd
    assert (again.question, again.media, again.error) == ("a?", ("name?.mp4",), "?")
