"""Questions about an instrument's country: the table, the balance, and what text alone is worth."""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from pydantic import ValidationError

from aurelia_plugin.benchmark.data.checking import check_folder
from aurelia_plugin.benchmark.data.items import MANIFEST, Item, read_items
from aurelia_plugin.benchmark.sources.draft import Draft
from aurelia_plugin.benchmark.sources.instruments.drawing import InstrumentQuestions, read
from aurelia_plugin.benchmark.sources.instruments.kinds import KINDS, SHARES, shares_of, truth_of
from aurelia_plugin.benchmark.sources.instruments.knowledge import Knowledge, knowledge
from aurelia_plugin.benchmark.sources.instruments.mentions import read_mentions
from aurelia_plugin.benchmark.sources.selection import shipped_ids
from aurelia_plugin.benchmark.sources.sole_instruments import INSTRUMENTS
from aurelia_plugin.cli import main
from aurelia_plugin.errors import ConfigError

from .text_alone import by_text, first_letter, is_chance, longest_option

_UPDATE = Path(__file__).resolve().parents[1] / "data" / "music_avqa_test_update_sample.json"
_TEMPLATES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("What kind of musical instrument is it?", ()),
    ("What kind of instrument is the <LRer> instrument\uff1f", ("leftest",)),
    ("What kind of instrument is the <LRer> instrument? ", ("rightest",)),
    ("What is the <TH> instrument that comes in?", ("first",)),
)


def invented_rows(path: Path) -> Path:
    """Write rows in MUSIC-AVQA's schema in which some instruments are much rarer than others."""
    chances = random.Random(7)
    rows: list[dict[str, object]] = []
    for template, values in _TEMPLATES:
        for instrument in sorted(INSTRUMENTS):
            for _ in range(chances.choice((2, 3, 5, 9, 30))):
                number = len(rows)
                rows.append(
                    {
                        "video_id": f"{number:08d}",
                        "question_id": number,
                        "type": '["Visual", "Location"]',
                        "question_content": template,
                        "templ_values": json.dumps(values),
                        "question_deleted": 0,
                        "anser": instrument,
                    }
                )
    path.write_text(json.dumps(rows))
    return path


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return invented_rows(tmp_path_factory.mktemp("rows") / "avqa-test.json")


@pytest.fixture(scope="module")
def pool(rows: Path) -> InstrumentQuestions:
    return read(rows, "terms")


def _gold(item: Item) -> str:
    assert item.options is not None
    return item.options[item.letters.index(item.answer)]


# The table


def test_every_fact_has_two_works_or_one_that_is_tested() -> None:
    table = knowledge()
    for fact in table.facts:
        tested = {"iso3166", "iso4217", "cldr"} & set(fact.works)
        assert len(set(fact.works)) >= 2 or tested, fact
        assert all(source.partition(": ")[2] for source in fact.sources), fact
    named = {work for fact in table.facts for work in fact.works}
    assert named == set(table.works)
    assert len(set(table.compared)) == len(table.compared)
    countries = {fact.value for fact in table.facts if fact.relation == "origin"}
    for fact in table.facts:
        if fact.relation not in ("origin", "sounding"):
            assert fact.subject in countries
    known = {*table.instruments, *(one.subject for one in table.left_out)}
    assert known >= INSTRUMENTS


def test_a_table_that_contradicts_itself_is_refused() -> None:
    table = knowledge().model_dump()
    fact = {"relation": "capital", "subject": "IT", "value": "Rome", "sources": ["grove: x"]}
    new = {**fact, "subject": "XX"}
    unsure = {"relation": "capital", "subject": "IT", "value": "Rome", "reason": "x"}
    left_out = {"relation": "capital", "subject": "IT", "reason": "x"}
    Knowledge.model_validate({**table, "facts": [*table["facts"], new]})
    for wrong in (
        {"facts": [*table["facts"], fact]},
        {"facts": [*table["facts"], {**new, "sources": ["nowhere: x"]}]},
        {"facts": [*table["facts"], {**new, "sources": []}]},
        {"unsure": [unsure]},
        {"left_out": [left_out]},
        {"compared": [*table["compared"], "grove: Lute"]},
    ):
        with pytest.raises(ValidationError):
            Knowledge.model_validate({**table, **wrong})


# The questions


@pytest.mark.parametrize(("number", "seed"), [(200, 0), (200, 1), (431, 2)])
def test_items_are_balanced_and_wrong_options_are_wrong(
    pool: InstrumentQuestions, rows: Path, number: int, seed: int
) -> None:
    drafts = pool.drawn("geoiq", number, seed)
    assert len(drafts) == len({draft.item.id for draft in drafts}) == number
    assert pool.named([draft.item.source.id for draft in drafts], "ids") == drafts
    golds: dict[str, Counter[str]] = defaultdict(Counter)
    kinds = {kind.name: kind for kind in KINDS}
    table = knowledge()
    mentions = {row.row: row for row in read_mentions(rows).rows}
    for draft in drafts:
        item = draft.item
        assert item.question_type is not None
        kind = kinds[item.question_type]
        row = mentions[item.source.id.split("|")[0]]
        truth = truth_of(kind, row.instrument, table)
        assert item.options is not None
        assert len(set(item.options)) == kind.options
        golds[kind.name][_gold(item)] += 1
        assert _gold(item) in truth.right
        assert not (set(item.options) - {_gold(item)}) & (truth.right | truth.unsure)
        # The question does not name what has to be seen or heard.
        assert row.instrument.replace("_", " ") not in item.question
        assert row.wording in item.question
    for name, counts in golds.items():
        assert max(counts.values()) <= 1.5 * sum(counts.values()) / len(counts), (name, counts)
    if number == 200:
        assert Counter(draft.item.category for draft in drafts) == SHARES


def test_text_alone_is_worth_no_more_than_chance(pool: InstrumentQuestions) -> None:
    items = [draft.item for draft in pool.drawn("geoiq", 1000, 3)]
    assert len(items) == 1000
    random.Random(1).shuffle(items)
    learned, asked = items[:500], items[500:]
    assert is_chance(by_text(learned, asked), asked)
    assert is_chance(first_letter(asked), asked)
    assert is_chance(longest_option(asked), asked)


def test_the_adversary_finds_what_there_is_to_find(pool: InstrumentQuestions) -> None:
    """Options that are never right, as a careless choice would give, are learned at once."""
    items = []
    for draft in pool.drawn("geoiq", 1000, 3):
        item = draft.item
        options = tuple(o if o == _gold(item) else f"never {o}" for o in item.options or ())
        items.append(item.model_copy(update={"options": options}))
    assert not is_chance(by_text(items[::2], items[1::2]), items[1::2])


def test_more_than_there_is(pool: InstrumentQuestions) -> None:
    everything = pool.drawn("geoiq", 10**6, 0)
    assert 1000 < len(everything) < 13 * pool.rows
    rows = [draft.item.source.id.split("|")[:2] for draft in everything]
    assert len({tuple(row) for row in rows}) == len(everything)


def test_shares_add_up() -> None:
    for number in (0, 1, 13, 199, 200, 777):
        assert sum(shares_of(number).values()) == number


def test_the_shipped_rows_have_the_papers_counts() -> None:
    ids = shipped_ids("geoiq") or []
    kinds = {kind.name: kind.category for kind in KINDS}
    assert Counter(kinds[row.split("|")[1]] for row in ids) == SHARES
    assert sum(SHARES.values()) == 200


def test_row_ids_that_the_rows_do_not_bear_out(pool: InstrumentQuestions) -> None:
    (first, *_) = pool.drawn("geoiq", 30, 0)
    row, kind, *options = first.item.source.id.split("|")
    others = [name for name in ("capital", "river", "sea") if name != kind]
    for bad in (
        "|".join((row, kind, *options[:-1])),
        "|".join((row, kind, *reversed(options))),
        "|".join((row, others[0], *options)),
        "|".join(("x/1", kind, *options)),
        row,
    ):
        with pytest.raises(ConfigError, match="1 of 1 rows are not in the annotations"):
            pool.named([bad], "ids")


def test_only_rows_that_name_no_other_instrument_are_asked_about() -> None:
    rows = json.loads(_UPDATE.read_text())
    for mention in read_mentions(_UPDATE).rows:
        (row,) = [r for r in rows if f"{r['video_id']}/{r['question_id']}" == mention.row]
        assert "<Object>" not in row["question_content"]
        assert row["anser"] == mention.instrument
        assert row["video_id"].isdigit()
    assert read_mentions(_UPDATE).rows


def test_the_command_builds_the_column(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "to"
    arguments = ["data", "build", "geoiq", "--annotations", str(rows), "--annotations-only"]
    assert main([*arguments, "--to", str(to), "--number", "60"]) == 0
    items = list(read_items(to / MANIFEST))
    assert len(items) == 60
    assert check_folder(to, media=False).good
    assert main([*arguments, "--to", str(to)]) == 1
    assert "rows are not in the annotations" in capsys.readouterr().err


def _drafts(drafts: list[Draft]) -> list[str]:
    return [draft.item.source.id for draft in drafts]


def test_a_seed_fixes_the_choice(pool: InstrumentQuestions) -> None:
    assert _drafts(pool.drawn("geoiq", 50, 1)) == _drafts(pool.drawn("geoiq", 50, 1))
    assert _drafts(pool.drawn("geoiq", 50, 1)) != _drafts(pool.drawn("geoiq", 50, 2))
