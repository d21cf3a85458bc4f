"""The generated readers: few lines, and the scores of the package's own."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from replies import corpus
from upstream_export.contributions import CONTRIBUTIONS
from upstream_export.shortening.module import shortened
from upstream_export.splitting import split

from aurelia_plugin.benchmark.boards.known import BOARD_SETS
from aurelia_plugin.benchmark.boards.letters import unlettered
from aurelia_plugin.benchmark.scoring import metrics
from aurelia_plugin.benchmark.scoring.labels import label_set
from aurelia_plugin.benchmark.scoring.metrics import Gold, Question
from aurelia_plugin.calling.thinking import spoken

READER = "lmms_eval.tasks._task_utils.reply_reader"
MODULES = ("reply_reader", "scoring", "board_rules")
MOST = 600  # lines


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ModuleType]]:
    """The generated modules, loaded from files of their own."""
    folder = tmp_path_factory.mktemp("readers")
    for contribution in CONTRIBUTIONS:
        for path, content in contribution.files().items() if contribution.folder[0] in "ab" else ():
            if path.stem in MODULES:
                (folder / path.name).write_text(content, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        found = {"reply_reader": _loaded(folder / "reply_reader.py")}
        patch.setitem(sys.modules, READER, found["reply_reader"])
        found |= {name: _loaded(folder / f"{name}.py") for name in MODULES[1:]}
        yield found


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def questions() -> Iterator[tuple[Question, Gold]]:
    """The questions of the corpus and of each form one more, with a right answer."""
    seen: dict[str, tuple[Question, Gold]] = {}
    for row in corpus():
        seen.setdefault(row.question.text, (row.question, Gold(row.reading or "none")))
    yield from seen.values()
    yield (
        Question("sentence", "Describe it.", stop_tokens=False),
        Gold("A dog barks.", ("He runs",)),
    )
    asked = "How many instruments sound?"
    yield Question("label", asked, labels=label_set(asked)), Gold("two")


def _score(modules: dict[str, ModuleType], question: Question, gold: Gold, said: str) -> object:
    """Return what the generated modules make of a reply, asked by the form of the question."""
    scoring, golds = modules["scoring"], [gold.answer, *gold.references]
    if question.form == "option":
        return modules["reply_reader"].score_choice(question.options, gold.answer, said)
    if question.form == "sentence":
        return scoring.score_sentence(gold.references or golds, said, question.stop_tokens)
    labels = scoring.label_set(question.text) if question.labels is not None else None
    return scoring.score_answer(golds, said, question.text, labels)


def test_every_reply_scores_as_the_package_scores_it(modules: dict[str, ModuleType]) -> None:
    asked = list(questions())
    golds = {question.text: gold for question, gold in asked}
    cases = [(row.question, golds[row.question.text], row.reply) for row in corpus()]
    for number, (question, gold) in enumerate(asked):
        cases += [(question, gold, row.reply) for row in corpus()[number % 7 :: 7]]
    for question, gold, reply in cases:
        assert modules["reply_reader"].spoken(reply) == spoken(reply)
        said = spoken(reply).text
        score = _score(modules, question, gold, said)
        assert score == metrics.score(question, gold, said), (question, reply)
    assert len(cases) == 13356, "docs/upstream/a_avreasonbench.md names this number"


def test_the_boards_rules_are_the_packages(modules: dict[str, ModuleType]) -> None:
    rules = modules["board_rules"]
    theirs = {
        "daily_omni": rules.begins_with_letter,
        "jointavbench": rules.names_one_option,
        "omnivideobench": rules.is_letter_alone,
    }
    chosen = [row for row in corpus() if row.question.form == "option"]
    for row in chosen:
        for name, board in BOARD_SETS.items():
            expected = board.official(row.reply, "B", row.question.options)
            assert theirs[name](row.reply, "B", row.question.options) is expected
    assert len(chosen) == 631, "docs/upstream/b_boards.md names this number"
    for options in (["A. x", "B. y"], ["A: x", "B y"], ["A dog", "The cat"]):
        assert rules.unlettered(options) == unlettered(options)


@pytest.mark.parametrize("name", MODULES)
def test_generated_modules_stay_short_and_say_where_they_come_from(
    name: str, modules: dict[str, ModuleType]
) -> None:
    source = Path(str(modules[name].__file__)).read_text(encoding="utf-8")
    title = ast.get_docstring(ast.parse(source)) or ""
    assert source.count("\n") <= MOST
    assert "generated from aurelia_plugin" in title
    assert "aurelia_plugin" not in source.replace(title, "")


def test_a_split_source_does_what_the_whole_does() -> None:
    whole = (
        '"""T."""\nfrom __future__ import annotations\nimport math\nONE = 1\nTWO = ONE + 1\n'
        "def shared(words):\n    return len(words) + ONE\n"
        "def words(x):\n    return shared(x) * TWO\n"
        "def other(x):\n    return math.floor(shared(x) / TWO)\n"
    )
    parts = split(whole, ["shared"], [["words"], ["other"]], "reader")
    assert parts.used == {"shared"}
    assert "def words" not in parts.shared, "a variable of this name is no use of it"
    assert "def shared" not in "".join(parts.rests)
    for rest, name, value in zip(parts.rests, ("words", "other"), (6, 1), strict=True):
        names: dict[str, Any] = {}
        exec(parts.shared, names)
        exec(rest.replace("from reader import shared", ""), names)
        assert names[name]("ab") == value


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
