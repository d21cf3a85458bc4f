from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aurelia_plugin.calling.thinking import without_thinking
from aurelia_plugin.reasoning.parsing import (
    read_lines,
    read_object,
    read_steps,
    read_verdict,
)
from aurelia_plugin.reasoning.roles import JsonKeys
from aurelia_plugin.reasoning.trace import Iteration

KEYS = JsonKeys()
WHOLE = json.dumps({"steps": ["Look.", "Listen."], "answers": ["a", "b"], "final_answer": "c"})

any_text = st.text(st.characters(), max_size=80)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=12,
)
shaped = st.dictionaries(
    st.sampled_from(["steps", "answers", "final_answer", "score", "feedback", "step", "answer"]),
    json_values,
).map(json.dumps)
fragments = st.lists(
    st.sampled_from(
        [
            '{"steps": ',
            '["a',
            '", ',
            '"]',
            "}",
            "{",
            "]",
            "```json\n",
            '{"score": ',
            "7",
            "NaN",
            "-1",
            "<think>",
            "</think>",
            "\\ud800",
            "1. ",
            " -> ",
            "\n",
            "Score: ",
            "/10",
            "\x00",
            "true",
        ]
    ),
    max_size=25,
).map("".join)
cut = st.builds(lambda text, share: text[: int(len(text) * share)], shaped, st.floats(0, 1))
replies = any_text | shaped | fragments | cut


@given(replies)
def test_any_reply_is_read_or_refused_and_what_is_read_can_be_stored(text: str) -> None:
    verdict, read = read_verdict(text), read_steps(text, KEYS)
    lines = read_lines(text.encode("utf-8", "replace").decode())
    if verdict is not None:
        assert type(verdict.score) is int
        assert 1 <= verdict.score <= 10
        Iteration(steps=(), score=verdict.score, feedback=verdict.feedback).model_dump_json()
    for steps in (read, lines):
        if steps is not None:
            assert all(step.strip() for step in steps.steps)
            assert len(steps.answers) in (0, len(steps.steps))
            Iteration(
                steps=steps.steps, step_answers=steps.answers, final_answer=steps.final_answer
            ).model_dump_json()


@given(st.floats() | st.integers() | st.booleans() | st.none() | st.lists(st.integers(1, 10)))
def test_a_score_is_a_whole_number_from_1_to_10_or_none(value: Any) -> None:
    verdict = read_verdict(json.dumps({"score": value}))
    fits = type(value) in (int, float) and math.isfinite(value) and value in range(1, 11)
    assert (verdict.score if verdict else None) == (value if fits else None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7),
        (" Score: 7/10 ", 7),
        ("**Rating: 8 out of 10**", 8),
        ("Final score is 10.", 10),
        ("7.0", 7),
        ('{"score": "7/10"}', 7),
        ('{"score": 7.0}', 7),
        ('[{"score": 4}]', 4),
        ("0", None),
        ("11", None),
        ("-3", None),
        ("- 3", 3),
        (".7", None),
        ("7%", None),
        ("7.5", None),
        ("3/5", None),
        ("I count 3 bells.", None),
        ("It scores between 3 and 7.", None),
        ('{"score": true}', None),
        ('{"score": NaN}', None),
        ('{"score": Infinity}', None),
        ('{"score": 1e400}', None),
        ('{"score": ' + "1" * 400 + "}", None),
        ('{"score": ' + "1" * 5000 + "}", None),
        ("1" * 5000, None),
        ('{"feedback": "7"}', None),
        ("", None),
    ],
)
def test_scores(text: str, expected: int | None) -> None:
    verdict = read_verdict(text)
    assert (verdict.score if verdict else None) == expected


def test_feedback_stands_beside_the_score_or_on_later_lines() -> None:
    assert read_verdict('{"score": 4, "feedback": "no drum"}') == (4, "no drum", "json")
    assert read_verdict("Score: 4\nNo drum.") == (4, "No drum.", "text")
    assert read_verdict('{"score": 4, "feedback": ["no drum", "too dark"]}') == (
        (4, "no drum too dark", "json")
    )


@pytest.mark.parametrize(
    ("text", "rung"),
    [
        (WHOLE, "json"),
        (f'<think>maybe {{"steps": ["no"]}}</think>{WHOLE}', "json"),
        (f"a thought whose start was in the prompt</think>\n{WHOLE}", "json"),
        (f"Sure {{as asked}}:\n```json\n{WHOLE}\n```\nDone.", "embedded"),
        (f"[{WHOLE}]", "embedded"),
        (WHOLE.replace('"', "'"), "repaired"),
        (WHOLE[:-1], "repaired"),
        (WHOLE.replace("}", ",}"), "repaired"),
        (f"Sure {{as asked}}: {WHOLE[:-1]}", "repaired"),
    ],
)
def test_an_object_is_found_inside_whatever_stands_around_it(text: str, rung: str) -> None:
    assert read_steps(text, KEYS) == (("Look.", "Listen."), ("a", "b"), "c", rung)


def test_a_reply_cut_inside_the_steps_gives_the_steps_that_are_there() -> None:
    cut_reply = read_steps('{"steps": ["Look.", "Lis', KEYS)
    assert cut_reply is not None
    assert cut_reply.steps[0] == "Look."
    objects = read_steps('{"steps": [{"step": "a", "answer": "b"}, {"step": "c", "an', KEYS)
    assert objects == (("a", "c"), ("b", ""), None, "repaired")


def test_the_last_complete_object_with_the_wanted_key_counts() -> None:
    for text in (
        'Draft {"note": {"score": 1}} and mine: {"score": 8}',
        '{"score": 8} as in {"score": 1, "feedback": "..."}',
        '{"score": 8} or {"score": 3, "feedb',
    ):
        found = read_object(text, "score")
        assert found is not None
        assert found.value == {"score": 8}
    assert read_object('{"score": 1, "feedback": "..."}', "score") is None


@pytest.mark.parametrize(
    ("value", "steps", "answers"),
    [
        ({"steps": "1. Look.\n2) Listen."}, ("Look.", "Listen."), ()),
        ({"steps": ["Look. -> dark", "Listen."]}, ("Look.", "Listen."), ("dark", "")),
        ({"steps": {"1": "Look.", "2": "Listen."}}, ("Look.", "Listen."), ()),
        ({"steps": [{"step": "Look.", "answer": "dark"}]}, ("Look.",), ("dark",)),
        ({"steps": [{"question": "Who?", "answer": None}]}, ("Who?",), ()),
        ({"steps": ["", "Listen."], "answers": ["x", "y"]}, ("Listen.",), ("y",)),
        ({"steps": ["a", "b"], "answers": ["", "2.5 s"]}, ("a", "b"), ("", "2.5 s")),
        ({"steps": ["a", "b"], "answers": ["A -> B", True]}, ("a", "b"), ("A -> B", "true")),
        ({"steps": ["a", "b"], "answers": ["x"]}, ("a", "b"), ("x", "")),
        ({"steps": ["a"], "answers": ["x", "y"]}, ("a",), ("x",)),
        ({"steps": ["At 0.5 s, look.", "2.5 s later?"]}, ("At 0.5 s, look.", "2.5 s later?"), ()),
    ],
)
def test_the_forms_in_which_models_write_steps(
    value: object, steps: object, answers: object
) -> None:
    read = read_steps(json.dumps(value), KEYS)
    assert read is not None
    assert (read.steps, read.answers) == (steps, answers)


@pytest.mark.parametrize(
    "value", [{}, {"steps": []}, {"steps": [None, " "]}, {"steps": [{"step": None}]}]
)
def test_no_step_is_no_reply(value: object) -> None:
    assert read_steps(json.dumps(value), KEYS) is None


def test_the_official_keys() -> None:
    keys = JsonKeys(steps="Task_1", answers="Task_2", final_answer="Task_3")
    text = json.dumps({"Task_1": ["a"], "Task_2": ["b"], "Task_3": 3.5})
    assert read_steps(text, keys) == (("a",), ("b",), "3.5", "json")
    assert read_steps(WHOLE, keys) is None


def test_lines_lose_their_markers_and_nothing_else() -> None:
    text = (
        "1. Look.\n- Listen. -> a bell\n\n---\nStep 3: Compare.\n**Step 4:** Wait.\n* **Bold** end"
    )
    assert read_lines(text).steps == ("Look.", "Listen.", "Compare.", "Wait.", "**Bold** end")
    assert read_lines(text).answers == ("", "a bell", "", "", "")
    assert read_lines("```text\nLook.\n```").steps == ("Look.",)
    kept = ("2.5 s in, look.", "12:30 strikes", "-5 degrees", "**Bold** begin", "3 bells")
    assert read_lines("\n".join(kept)).steps == kept


@pytest.mark.parametrize("depth", [100, 300, 500, 900, 990, 2_000, 50_000])
@pytest.mark.parametrize("bracket", ["[]", "{}"])
def test_deep_nesting_is_survived(depth: int, bracket: str) -> None:
    opening = "[" if bracket == "[]" else '{"a":'
    nest = opening * depth + "1" + bracket[1] * depth
    read_steps(f'{{"steps": {nest}, "answers": {nest}}}', KEYS)
    read_verdict(f'{{"score": 3, "feedback": {nest}}}')
    read_verdict(nest)
    read_steps(opening * depth, KEYS)


def test_lone_surrogates_are_replaced() -> None:
    assert read_steps('{"steps": ["a\\ud800"], "answers": ["\\udfff"]}', KEYS) == (
        (("a?",), ("?",), None, "json")
    )
    assert read_verdict('{"score": 2, "feedback": "\\ud83d"}') == (2, "?", "json")


def test_thoughts_are_not_part_of_a_reply() -> None:
    assert without_thinking("<think>a</think> b <Analysis>c</analysis>d") == "b d"
    assert without_thinking("<think>cut off") == ""
    assert without_thinking("opened by the template</think>b") == "b"


def test_a_reply_on_which_the_repairing_library_fails_is_unreadable() -> None:
    broken = (
        '{"score\x1f```json\n{"st\ufffdps": [{"```json\n{"st\ufffdps": [{"step"\x14\0\0: "Look.", '
        '"ans8\0\0\0\0\0er": "a"}]}\n```'
    )
    assert read_steps(broken, KEYS) is None
    assert read_verdict(broken) is None
