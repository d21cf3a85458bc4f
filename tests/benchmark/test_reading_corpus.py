"""Replies as models write them, each read as a careful person reads it."""

from __future__ import annotations

import pytest
from replies import Row, corpus

from aurelia_plugin.benchmark.scoring.grammar.deciding import Reading
from aurelia_plugin.benchmark.scoring.metrics import read
from aurelia_plugin.benchmark.scoring.names import is_name
from aurelia_plugin.calling.thinking import spoken
from aurelia_plugin.reasoning.parsing import read_verdict


def _read(row: Row) -> Reading:
    said = spoken(row.reply)
    return Reading(None, "unclosed") if said.unclosed else read(row.question, said.text)


@pytest.mark.parametrize("row", corpus(), ids=lambda row: row.reply[:40])
def test_a_reply_is_read_as_people_read_it(row: Row) -> None:
    reading = _read(row)
    if row.question.form == "name" and row.reading is not None:
        assert reading.value is not None
        assert is_name(reading.value, [row.reading])
    else:
        assert reading.value == row.reading, reading


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ('First {"score": 3, "feedback": "dark"}, no: {"score": 5, "feedback": "fine"}', 5),
        ('{"score": 8, "feedback": "ok"} (as you wanted: {"score": 1, "feedback": "..."})', 8),
        ('{"score": 1, "feedback": "..."}', None),
        ('{"score": "8/10"}', 8),
        ('{"score": "3/5"}', None),
        ('{"score": "7-8"}', None),
        ('{"score": 7.5}', None),
        ("Score: 7-8", None),
        ("Score: 7 to 8", None),
        ("I rate it 85/100.", None),
        ("3/5", None),
        ("7.5/10", None),
        ("8.0/10", 8),
        ("Rating: 10/10", 10),
        ("The rating is 4.", 4),
        ("I'd give it a 6 out of 10, because the bell is missing.", 6),
        ("Score: 4\nOn reflection, final score: 6", 6),
        ("<think>Score: 3</think>Score: 9", 9),
        ("<think>Score: 3", None),
        ("<reasoning>2</reasoning>\n7", 7),
        ("Picture 3/10, sound 9/10", None),
        ("70%", None),
        ("eleven", None),
        ("The caption fits well.\n\n8", 8),
        ("**8/10**", 8),
        ("The rain is missing. Rating: [[7]]", 7),
        (r"$\boxed{5}$", 5),
        ("Seven out of ten.", 7),
        ("Score: eight", 8),
        ("The score is one of the lowest here.", None),
        ("\u8bc4\u5206\uff1a8\u5206\uff08\u6ee1\u520610\u5206\uff09\u3002", 8),
        ("\u5f97\u5206\uff1a\uff19", 9),
        ("Bewertung: 7 von 10 Punkten.", 7),
        ("It would be 9/10 if the bell were mentioned, but as it stands it gets 6/10.", 6),
    ],
)
def test_verdicts_of_an_evaluator(reply: str, score: int | None) -> None:
    verdict = read_verdict(reply)
    assert (verdict.score if verdict else None) == score
