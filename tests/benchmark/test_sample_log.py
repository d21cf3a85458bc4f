"""The harness's log of samples, read line by line in its form."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from aurelia_plugin.benchmark.sample_log import Sample, read_samples
from aurelia_plugin.cli import main
from aurelia_plugin.errors import ConfigError

_ROW: dict[str, object] = {
    "doc_id": 0,
    "item": "geoiq-0",
    "column": "geoiq",
    "category": "Currency",
    "video": "media/a.mp4",
    "score": 1.0,
    "accuracy": 1,
    "unparsed": 0.0,
}
_RATING = {"question": "q", "candidate": 1, "rating": 7, "right": True}


def _log(folder: Path, content: str | bytes) -> Path:
    path = folder / "20260101_000000_samples_avreasonbench_mini_geoiq.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _line(**changes: object) -> str:
    return json.dumps({**_ROW, **changes})


def _without(name: str) -> str:
    return json.dumps({key: value for key, value in _ROW.items() if key != name})


def test_a_line_is_a_sample_and_those_of_other_tasks_are_none(tmp_path: Path) -> None:
    other = '{"doc_id": 1, "category": "x", "score": NaN}'
    odd = _line(other_metric=float("nan"), resps="\ud800")
    path = _log(tmp_path, f"\ufeff{_line()}\r\n\r\n{other}\r\n{odd}\n")
    sample = Sample("geoiq-0", "geoiq", "Currency", "media/a.mp4", 1.0, 1.0, 0.0)
    assert list(read_samples(path)) == [sample, sample]


def test_ratings_become_questions(tmp_path: Path) -> None:
    rows = [
        _line(item="q", score=value, accuracy=value, unparsed=value)
        for number, right in enumerate((True, False), 1)
        for value in [{**_RATING, "candidate": number, "right": right, "rating": 10 - number}]
    ]
    (sample,) = read_samples(_log(tmp_path, "\n".join(rows)))
    assert (sample.item, sample.score, sample.unparsed) == ("q", 1.0, 0.0)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (_line(score=float("nan")), "score"),
        (_line(score=float("inf")), "score"),
        (_line(score=-0.5), "score"),
        (_line(score=1.5), "score"),
        (_line(score=None), "score"),
        (_line(score="1.0"), "score"),
        (_line(score=True), "score"),
        (_line(score=[1.0]), "score"),
        (_line(score={"nested": 1.0}), "score"),
        (_line(score={**_RATING, "rating": "7"}), "score"),
        (_line(score=_RATING), "numbers and ratings"),
        (_line(score=_RATING, accuracy=_RATING, unparsed=_RATING), "another question"),
        (_line(accuracy=float("nan")), "accuracy"),
        (_line(judged=float("nan")), "judged"),
        (_line(judge={"service": "s"}), "judge.model"),
        (_line(item=7), "item"),
        (_line(item="a\0"), "NUL"),
        (_line(video=None), "video"),
        (_line(column=["geoiq"]), "column"),
        (_line().replace('"geoiq-0"', '"\\ud800"'), "surrogate"),
        (_without("score"), "score: Field required"),
        (_without("unparsed"), "unparsed: Field required"),
        (_without("item"), "item"),
        (_without("category"), "category"),
        ("{", "Expecting"),
        ("[]", "dictionary"),
        ('{"a": ' + "[" * 100_000, "recursion"),
    ],
)
def test_a_bad_line_ends_in_an_error_that_names_it(line: str, what: str, tmp_path: Path) -> None:
    path = _log(tmp_path, f"{_line()}\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        list(read_samples(path))
    assert f"{path}:2: " in caught.value.what
    assert what in caught.value.what
    assert caught.value.fix.startswith("Correct the line")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_other_encodings_are_named(
    encoding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _log(tmp_path, _line(item="\u00e4").replace("\\u00e4", "\u00e4").encode(encoding))
    assert main(["summary", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert f"{path}:1: " in said
    assert "Traceback" not in said


def test_a_pipe_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "20260101_000000_samples_x.jsonl"
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="not a regular file"):
        list(read_samples(path))
