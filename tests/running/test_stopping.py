"""A run whose target cannot answer stops: a table of zeros is no result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from making import QUICK, Line, Made, Silent, answers, text_of

from aurelia_plugin.calling.backend import Prompt
from aurelia_plugin.calling.budget import Limits
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.errors import AureliaError, BackendError, MediaError, TransientError
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.running.conditions.packaged import ZeroShot
from aurelia_plugin.running.stopping import TargetWatch

REFUSED = BackendError("m-1", "HTTP 400: request 4af1: not allowed", "Start it with --allow.")


def _line(reply: Callable[[Prompt], str], limit: int = 8) -> Line:
    return Line(ScriptedBackend(reply), ZeroShot(), window=1, watch=TargetWatch(limit))


def _failing(numbers: Sequence[int], error: Exception = REFUSED) -> Callable[[Prompt], str]:
    def reply(prompt: Prompt) -> str:
        if int(text_of(prompt).split()[1][:-1]) in numbers:
            raise error
        return "yes"

    return reply


def test_eight_first_calls_that_end_in_one_permanent_error_stop_the_run() -> None:
    line = _line(_failing(range(30)))
    with pytest.raises(BackendError) as caught:
        answers(line, [Made(n) for n in range(30)])
    assert "m-1: HTTP 400: request 4af1: not allowed\n" in str(caught.value)
    assert str(caught.value).splitlines()[-1] == "Start it with --allow."
    assert sum(item.target is not None for item in line.outcome.items) == 8


def test_numbers_and_identifiers_in_an_error_do_not_make_it_another() -> None:
    asked = iter(range(100, 200))

    def refuse(prompt: Prompt) -> str:
        number = next(asked)
        what = f"HTTP 400: request {number:x}-77af{number}: not allowed"
        raise BackendError("m-1", what, "Allow it.")

    line = _line(refuse)
    with pytest.raises(BackendError, match="the first 8 questions"):
        answers(line, [Made(n) for n in range(30)])


def test_one_answer_among_the_first_lets_the_run_go_on() -> None:
    line = _line(_failing([*range(7), *range(8, 30)]))
    found = answers(line, [Made(n) for n in range(30)])
    assert found == [""] * 7 + ["yes"] + [""] * 22
    assert line.outcome.record()["target_failures"] == 29


@pytest.mark.parametrize("count", [1, 3, 7])
def test_fewer_questions_none_of_which_is_answered_are_no_result(count: int) -> None:
    line = _line(_failing(range(count)))
    with pytest.raises(BackendError, match="not one question was answered"):
        answers(line, [Made(n) for n in range(count)])


def test_different_errors_do_not_stop_the_run_early_and_are_no_result_in_the_end() -> None:
    def refuse(prompt: Prompt) -> str:
        what = "too long" if "Question 3?" in text_of(prompt) else "not allowed"
        raise BackendError("m-1", what, "Change it.")

    line = _line(refuse)
    with pytest.raises(BackendError, match="not one question was answered"):
        answers(line, [Made(n) for n in range(12)])
    assert all(item.target is not None for item in line.outcome.items)


def test_an_error_that_may_pass_does_not_stop_the_run_early() -> None:
    line = _line(_failing(range(20), TransientError("m-1", "busy", "Wait.")))
    assert answers(line, [Made(n) for n in range(21)]) == [""] * 20 + ["yes"]


def test_zero_goes_on_whatever_happens() -> None:
    line = _line(_failing(range(12)), limit=0)
    assert answers(line, [Made(n) for n in range(12)]) == [""] * 12


@pytest.mark.parametrize("error", [MediaError("clip.mp4", "is cut")])
def test_media_that_cannot_be_read_say_nothing_of_the_target(error: AureliaError) -> None:
    line = _line(_failing(range(12), error))
    assert answers(line, [Made(n) for n in range(12)]) == [""] * 12


def test_calls_that_the_budget_does_not_allow_say_nothing_of_the_target(tmp_path: Path) -> None:
    from serviced import ServedBackend

    caller = Caller(QUICK, limits=Limits(tokens=1))
    line = Line(ServedBackend(lambda prompt: "yes"), ZeroShot(), caller=caller, window=1)
    assert answers(line, [Made(n) for n in range(9)]) == [""] * 9


def test_a_question_that_cannot_be_made_for_any_reason_costs_that_question() -> None:
    def wrong(number: int) -> None:
        if number == 1:
            raise ZeroDivisionError("a data set's own code")

    line = _line(_failing([]))
    found = answers(line, [Made(n, before=wrong) for n in range(3)])
    assert found == ["yes", "", "yes"]
    cause = str(line.outcome.items[1].record()["cause"])
    assert "q/1: the question could not be made: ZeroDivisionError: a data set's own code" in cause
    raising = Line(ScriptedBackend(_failing([])), ZeroShot(), on_agent_failure="raise", window=1)
    with pytest.raises(MediaError, match="ZeroDivisionError"):
        answers(raising, [Made(n, before=wrong) for n in range(3)], Silent())
