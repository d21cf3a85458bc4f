"""The generated readers: few lines, and the scores of the package's own."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from replies import corpus
from upstream_export.contributions import CONTRIBUTIONS
from upstream_export.shortening.module import shortened

from aurelia_plugin.benchmark.scoring import metrics
from aurelia_plugin.benchmark.scoring.labels import label_set
from aurelia_plugin.benchmark.scoring.metrics import Gold, Question
from aurelia_plugin.calling.thinking import spoken

READERS = {"a_avreasonbench": ("scoring", 820), "b_boards": ("option_reader", 600)}


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModuleType]:
    """The generated module of each contribution, loaded from files of its own."""
    found = {}
    for contribution in CONTRIBUTIONS:
        if contribution.folder in READERS:
            name, _ = READERS[contribution.folder]
            folder = tmp_path_factory.mktemp(name)
            for path, content in contribution.files().items():
                if path.stem == name:
                    (folder / path.name).write_text(content, encoding="utf-8")
            found[contribution.folder] = _loaded(folder / f"{name}.py")
    return found


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def questions() -> Iterator[tuple[Question, Gold]]:
    """The questions of the corpus and of each form one more, with a right answer."""
    seen = {}
    for row in corpus():
        seen.setdefault(row.question.text, (row.question, Gold(row.reading or "none")))
    yield from seen.values()
    yield (
        Question("sentence", "Describe it.", stop_tokens=False),
        Gold("A dog barks.", ("He runs",)),
    )
    asked = "How many instruments sound?"
    yield Question("label", asked, labels=label_set(asked)), Gold("two")


def _score(module: ModuleType, question: Question, gold: Gold, said: str) -> object:
    """Return what the generated module makes of a reply, asked by the form of the question."""
    golds = [gold.answer, *gold.references]
    if question.form == "option":
        return module.score_choice(question.options, gold.answer, said)
    if question.form == "sentence":
        return module.score_sentence(gold.references or golds, said, question.stop_tokens)
    labels = module.label_set(question.text) if question.labels is not None else None
    return module.score_answer(golds, said, question.text, labels)


def test_every_reply_scores_as_the_package_scores_it(readers: dict[str, ModuleType]) -> None:
    theirs = readers["a_avreasonbench"]
    replies = [row.reply for row in corpus()]
    cases = [
        (question, gold, row.reply)
        for row in corpus()
        for question, gold in questions()
        if question.text == row.question.text
    ]
    cases += [
        (question, gold, reply)
        for number, (question, gold) in enumerate(questions())
        for reply in replies[number % 7 :: 7]
    ]
    for question, gold, reply in cases:
        assert theirs.spoken(reply) == spoken(reply)
        said = spoken(reply).text
        score = _score(theirs, question, gold, said)
        assert score == metrics.score(question, gold, said), (question, reply)
    assert len(cases) > 2000


def test_every_choice_is_read_as_the_package_reads_it(readers: dict[str, ModuleType]) -> None:
    theirs = readers["b_boards"]
    chosen = [row for row in corpus() if row.question.form == "option"]
    for row in chosen:
        said, answer = spoken(row.reply).text, row.reading or "A"
        options = row.question.options
        expected = metrics.score_choice(options, answer, said)
        assert theirs.score_choice(options, answer, said) == expected
    assert len(chosen) > 100


@pytest.mark.parametrize("contribution", READERS)
def test_readers_stay_short_and_say_where_they_come_from(
    contribution: str, readers: dict[str, ModuleType]
) -> None:
    _, most = READERS[contribution]
    source = Path(str(readers[contribution].__file__)).read_text(encoding="utf-8")
    assert source.count("\n") <= most
    assert "generated" in (ast.get_docstring(ast.parse(source)) or "")
    assert "aurelia_plugin" not in source.partition('"""')[2].partition('"""')[2]
    assert all(len(line) <= 240 for line in source.splitlines() if not line.startswith('    f"'))


BUNDLE = '''"""A title."""
from __future__ import annotations
import re
from typing import Final, NamedTuple
_WORD: Final = re.compile("[a-z]+", re.IGNORECASE)
_SMALL: Final = frozenset(("a", "the"))
_VALUES: Final = {"one": 1, "two": 2}
_MOST: Final = 3
class Found(NamedTuple):
    """A word."""
    text: str
    value: int | None = None
def wanted(text: str) -> list[Found]:
    """Return the words of a text."""
    found = []
    for match in _WORD.finditer(text):
        word = match[0].lower()
        if word in _SMALL:
            continue
        found.append(Found(word, _VALUES.get(word)))
    return _limited(found)
def _limited(found):
    if not found:
        return found
    result = found[:_MOST]
    last = result[-1]
    if last.value is not None:
        result = result[:-1]
    return result
def total(text: str) -> int:
    sum_ = 0
    for one in wanted(text):
        sum_ += _worth(one)
    return sum_
def _worth(one):
    if one.value is None:
        return len(one.text)
    return one.value
def first(text: str) -> str | None:
    for one in wanted(text):
        if one.value is None:
            return one.text
    return None
def shadowed(result: int, text: str) -> int:
    found = _limited(wanted(text))
    return result + len(found)
def named(text: str) -> int:
    length = len(text)
    if length > 5 and length % 2 == 0:
        return length
    kept = text if length else "empty"
    return len(kept) + length
'''
TEXTS = ("", "a", "one", "The cat one", "cat dog cow emu", "two A cat two", "abcdef", "abcdefg")
CALLS: dict[str, Callable[[ModuleType, str], object]] = {
    "wanted": lambda module, text: [tuple(one) for one in module.wanted(text)],
    "total": lambda module, text: module.total(text),
    "first": lambda module, text: module.first(text),
    "shadowed": lambda module, text: module.shadowed(7, text),
    "named": lambda module, text: module.named(text),
}


def test_what_is_rewritten_returns_what_it_returned(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text(BUNDLE)
    short = shortened(BUNDLE, frozenset((*CALLS, "Found")), "table.json")
    (tmp_path / "short.py").write_text(short.module)
    (tmp_path / "table.json").write_text(short.table)
    sys.modules.pop("long", None)
    before, after = _loaded(tmp_path / "long.py"), _loaded(tmp_path / "short.py")
    assert short.module.startswith('"""A title."""')
    assert len(short.module.splitlines()) < len(BUNDLE.splitlines())
    assert json.loads(short.table)["words"] == {"SMALL": ["a", "the"]}
    for name, call in CALLS.items():
        for text in TEXTS:
            assert call(after, text) == call(before, text), (name, text)
    assert "def _limited" in short.module, "called in two places"
    assert "_worth" not in short.module, "called in one"
