"""Submissions: what is in one, what a board refuses, and strangers' texts that stay texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from benchmark.handmade import ITEMS

from aurelia_plugin.benchmark.data.documents import question_text
from aurelia_plugin.benchmark.data.items import MANIFEST, write_items
from aurelia_plugin.benchmark.reading import score_item
from aurelia_plugin.cli import main
from aurelia_plugin.compare.submissions.making import Publisher, export_submission, submission_of
from aurelia_plugin.compare.submissions.record import Submission, digest_of_submission
from aurelia_plugin.errors import ConfigError

from .making_logs import our_row, row, write_plugin_run, write_run

EVIL = "<script>alert(1)</script>|`x`![a](http://x.example)\x1b[31m\"'=cmd"

_ITEMS = [item for item in ITEMS if item.column in ("geoiq", "meme")]


def _run(folder: Path, right: int, condition: str = "none", media: str = "full") -> Path:
    rows = []
    for number, item in enumerate(_ITEMS):
        reply = f"Answer: {item.answer}" if number < right else "Answer: nothing at all"
        rows.append(
            {
                **our_row(item, number, 0.0, reply),
                **score_item(item, reply),
                "input": question_text(item),
            }
        )
    return write_plugin_run(folder, "avr_mixed", rows, condition=condition, media=media)


def _submit(folder: Path, name: str, right: int, **more: Any) -> Path:
    publisher = Publisher(more.pop("called", name))
    to = folder / "in" / f"{name}.json"
    export_submission(_run(folder / name, right, **more), to, publisher, None)
    return to


def _edited(path: Path, edit: Callable[[dict[str, Any]], object], *, signed: bool = True) -> None:
    content = json.loads(path.read_text())
    edit(content)
    if signed:
        content["digest"] = digest_of_submission(content)
    path.write_text(json.dumps(content))


@pytest.fixture
def submitted(tmp_path: Path) -> Path:
    for name, right in (("one", 4), ("two", 2), ("three", 2)):
        _submit(tmp_path, name, right)
    _edited(tmp_path / "in" / "three.json", lambda found: found.update(created="later"))
    return tmp_path / "in"


def test_a_submission_holds_what_its_figures_rest_on(tmp_path: Path) -> None:
    run = _run(tmp_path / "run", 3)
    made = submission_of(run, Publisher("mine", "https://example.org"))
    assert (made.name, made.target, made.condition) == ("mine", "the target", "none")
    assert [item.id for item in made.items] == [item.id for item in _ITEMS]
    assert {item.content for item in made.items} == {"c0", "c1", "c2", "c3"}
    assert [figure.name for figure in made.figures] == ["", "geoiq", "meme"]
    assert made.figures[0].score == 0.75
    assert made.figures[1].low is None, "of one video"
    text = made.model_dump_json()
    assert str(tmp_path) not in text, "a local folder"
    assert Submission.model_validate_json(text) == made


def test_keys_and_folders_are_left_out(tmp_path: Path) -> None:
    rows = [our_row(_ITEMS[0], 0, 1.0, "Asia")]
    given = "pretrained=/home/me/models/tiny,api_key=sk-abcdefghijklmnop12345"
    run = write_run(tmp_path, {"avreasonbench_geoiq": rows}, model_args=given)
    made = submission_of(run, Publisher())
    text = made.model_dump_json()
    assert "/home/me" not in text
    assert "sk-abcdefghijklmnop" not in text
    assert made.model_args["pretrained"] == "tiny"
    assert made.benchmark == "avreasonbench_geoiq"
    assert made.items[0].content is None


def test_runs_of_others_tasks_are_none(tmp_path: Path) -> None:
    run = write_run(tmp_path, {"qa": [row(0, 1.0)]})
    with pytest.raises(ConfigError, match="qa is no task of this package"):
        submission_of(run, Publisher())


def test_a_board_ranks_what_was_asked_alike(
    submitted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["board", str(submitted)]) == 0
    said = capsys.readouterr().out
    assert said.index("one") < said.index("three") < said.index("two")
    data = json.loads((submitted / "board" / "board.json").read_text())
    assert [(line["rank"], line["name"]) for line in data["lines"]] == [
        (1, "one"),
        (2, "three"),
        (2, "two"),
    ]
    assert data["lines"][0]["figures"]["mean over columns"]["score"] == 1.0
    assert main(["board", str(submitted)]) == 0, "its own files are no submissions"


def _other_parser(found: dict[str, Any]) -> None:
    found["tasks"][0]["parser"] = "another"


def _other_text(found: dict[str, Any]) -> None:
    found["items"][0]["text"] = "0" * 64


def _other_clip(found: dict[str, Any]) -> None:
    found["items"][1]["content"] = "another"


def _fewer(found: dict[str, Any]) -> None:
    kept = [item for item in found["items"] if item["column"] == "geoiq"]
    found["items"] = kept
    found["figures"] = [f for f in found["figures"] if f["name"] in ("", "geoiq")]
    for figure in found["figures"]:
        figure.update(n=2, score=sum(item["score"] for item in kept) / 2)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (_other_parser, "parser of avr_mixed"),
        (_other_text, "1 questions with another text or gold answer (g-1)"),
        (_other_clip, "1 questions over another clip (g-2)"),
        (_fewer, "2 questions missing (h-1, h-2)"),
        (lambda found: found["tasks"][0].update(version="9"), "version of avr_mixed: 9"),
        (lambda found: found["tasks"][0].update(generation={}), "generation of avr_mixed"),
        (lambda found: found.update(media="muted"), "media=muted instead of full"),
    ],
)
def test_what_was_not_asked_alike_is_refused(
    edit: Callable[[dict[str, Any]], object],
    reason: str,
    submitted: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _edited(submitted / "two.json", edit)
    assert main(["board", str(submitted)]) == 1
    said = capsys.readouterr().out
    assert "refused: two.json: was not asked as one.json was" in said
    assert reason in said
    data = json.loads((submitted / "board" / "board.json").read_text())
    assert [line["name"] for line in data["lines"]] == ["one", "three"]
    assert main(["board", str(submitted), "--like", "two.json"]) == 1
    data = json.loads((submitted / "board" / "board.json").read_text())
    assert [line["name"] for line in data["lines"]] == ["two"]


@pytest.mark.parametrize(
    ("edit", "signed", "reason"),
    [
        (lambda f: f["items"][3].update(score=1.0), False, "was changed after"),
        (lambda f: f["items"][3].update(score=1.0), True, "figures that are not those"),
        (lambda f: f["figures"][0].update(score=0.9), True, "figures that are not those"),
        (lambda f: f["items"].append(f["items"][0]), True, "answers a question twice"),
        (lambda f: f["items"][0].update(failed="target"), True, "was not answered and has a score"),
        (lambda f: f["items"][0].update(score=7), True, "score"),
        (lambda f: f.update(html="<b>"), True, "html"),
        (lambda f: f.update(form_version=2), True, "form_version"),
        (lambda f: f.update(items=[]), True, "items"),
    ],
)
def test_what_is_no_submission_is_refused(
    edit: Callable[[dict[str, Any]], object],
    signed: bool,
    reason: str,
    submitted: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _edited(submitted / "two.json", edit, signed=signed)
    (submitted / "junk.json").write_bytes(b"\xff[")
    (submitted / "again.json").write_bytes((submitted / "one.json").read_bytes())
    assert main(["board", str(submitted)]) == 1
    said = capsys.readouterr().out
    assert "refused: junk.json" in said
    assert "refused: one.json: is again.json once more" in said
    line = next(line for line in said.splitlines() if line.startswith("refused: two.json"))
    assert reason in line


def test_answers_are_scored_again_where_the_items_are_there(
    submitted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    write_items(home / MANIFEST, ITEMS)
    assert main(["board", str(submitted), "--items", str(home)]) == 0

    def better(found: dict[str, Any]) -> None:
        found["items"][3]["score"] = 1.0
        found["figures"][0]["score"] = 0.75
        found["figures"][2]["score"] = 0.5

    _edited(submitted / "two.json", better)
    assert main(["board", str(submitted)]) == 0, "nobody can see it without the items"
    assert main(["board", str(submitted), "--items", str(home)]) == 1
    assert "item h-2 states a score of 1, and its answer has 0" in capsys.readouterr().out


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_strangers_text_is_data_and_never_markup(
    submitted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def evil(found: dict[str, Any]) -> None:
        found.update(name=EVIL, url="javascript:alert(1)", target=EVIL, benchmark=EVIL)
        found["agents"] = {EVIL: EVIL}
        found["settings"] = {EVIL: EVIL}
        found["condition"] = EVIL

    for name in ("one", "two", "three"):
        _edited(submitted / f"{name}.json", evil)
    bad = submitted / "<img src=x onerror=alert(1)>.json"
    bad.write_text("{}")
    assert main(["board", str(submitted)]) == 1
    assert "\x1b" not in capsys.readouterr().out
    html = (submitted / "board" / "board.html").read_text()
    page = _Page()
    page.feed(html)
    assert page.tags <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div", "table"),
        *("thead", "tbody", "tr", "th", "td", "details", "summary", "pre", "ul", "li"),
    }
    assert page.attributes <= {"lang", "charset", "http-equiv", "content", "name", "class", "scope"}
    assert any("<script>alert(1)</script>" in text for text in page.texts), "it is shown"
    assert "default-src 'none'" in html
    markdown = (submitted / "board" / "board.md").read_text()
    assert "<" not in markdown.replace("\\<", "")
    assert "](http" not in markdown.replace("\\]", "")
    rows = [line for line in markdown.splitlines() if line.startswith("| ")]
    bars = {line.replace("\\|", "").count("|") for line in rows}
    assert len(bars) == 1, "a cell broke out of its row"
