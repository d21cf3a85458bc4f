"""condition=consistency: as many sampled answers as the loop made calls, and their majority."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import Line, question, score, team, text_of
from making import trace as made_trace

from aurelia_plugin.benchmark.data.items import Item, Source
from aurelia_plugin.benchmark.vote_values import read_answer, reader_of
from aurelia_plugin.calling.backend import Generation, Prompt
from aurelia_plugin.calling.seeds import sample_seed
from aurelia_plugin.errors import BackendError
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.running.conditions.packaged import Consistency
from aurelia_plugin.running.conditions.voting import Poll, Vote, majority, read_any
from aurelia_plugin.traces.store import TraceStore


@given(st.lists(st.one_of(st.none(), st.sampled_from("abc")), min_size=1))
def test_the_majority_is_the_most_frequent_value_and_the_earliest_on_a_tie(
    values: list[str | None],
) -> None:
    chosen = majority(values)
    counts = Counter(value for value in values if value is not None)
    if not counts:
        assert chosen == 0
        return
    best = max(counts.values())
    tied = [value for value in counts if counts[value] == best]
    assert values[chosen] in tied
    assert chosen == min(values.index(value) for value in tied)


def test_no_answers_are_no_vote() -> None:
    with pytest.raises(ValueError, match="at least one"):
        majority([])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("A", "a"),
        ("Answer: (A).", "a"),
        ("I think it is red.\nAnswer: **Red**", "red"),
        ("<think>B? no.</think> The  Bell!", "the bell"),
        ("+", "+"),
        ("  ", None),
        ("", None),
    ],
)
def test_an_unknown_tasks_answer_is_its_normalised_text(text: str, value: str | None) -> None:
    assert read_any(text) == value


def test_seeds_differ_between_samples_and_runs_and_fit_every_service() -> None:
    seeds = [sample_seed(run, index) for run in range(30) for index in range(30)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)


class One:
    id, category = "q/0", "bells"

    def __init__(self, asked: Question) -> None:
        self._asked = asked

    def __call__(self) -> Question:
        return self._asked


class Silent:
    def reasoned(self) -> None:
        pass

    def answered(self) -> None:
        pass


def pipeline(folder: Path, target: ScriptedBackend, seed: int = 0, **loop: Any) -> Line:
    made, store = team(folder, **loop), TraceStore(folder)
    poll = Poll(target.identity, 0.7, seed, store)
    return Line(target, Consistency(made.agents.trace, poll), store=store)


def answer(line: Line, asked: Question | None = None) -> Any:
    return asyncio.run(line.run([One(asked or question())], Silent()))[0]


def votes(folder: Path) -> list[Vote]:
    paths = sorted((folder / "votes").glob("*/*.json"))
    return [Vote.model_validate_json(path.read_bytes()) for path in paths]


class Sampler:
    """Answers by the seed, as a model that samples would."""

    def __init__(self, answers: list[str], fails: int | None = None) -> None:
        self.answers, self.fails = answers, fails
        self.order = [sample_seed(0, index) for index in range(len(answers))]

    def __call__(self, prompt: Prompt) -> str:
        index = self.order.index(prompt.generation.seed)
        if index == self.fails:
            raise BackendError("target", "is down", "Start it.")
        return self.answers[index]


def test_as_many_answers_as_the_loop_made_calls_and_the_majority_in_its_own_words(
    tmp_path: Path,
) -> None:
    said = ["Answer: bell", "So it rings. Answer: Drum!", "answer: drum", "Bell.", "None", "Drum"]
    target = ScriptedBackend(Sampler(said))
    # Two iterations of three calls each: the first score is below the threshold.
    scores = iter([2, 9])
    line = pipeline(tmp_path, target, evaluator=lambda prompt: score(next(scores)))
    result = answer(line)
    assert result.text == "So it rings. Answer: Drum!"
    assert len(target.prompts) == 6
    plain = question().prompt()
    for prompt in target.prompts:
        assert text_of(prompt) == text_of(plain), "nothing is put in front of the question"
        assert prompt.generation.temperature == 0.7
        assert prompt.generation.max_new_tokens == plain.generation.max_new_tokens
    (vote,) = votes(tmp_path)
    assert [ballot.text for ballot in vote.ballots] == said
    assert [ballot.value for ballot in vote.ballots] == [
        "bell",
        "drum",
        "drum",
        "bell",
        "none",
        "drum",
    ]
    assert vote.chosen == 1
    assert result.usage.output_tokens == sum(len(text.split()) for text in said)
    assert line.outcome.record()["evidence"]["target"]["calls"] == 6
    (kept,) = line.outcome.items
    assert (kept.vote, kept.trace) == (vote.key, None), "the loop is counted, not used"
    assert kept.usage.output_tokens == result.usage.output_tokens


def test_a_second_run_asks_nothing_again_and_another_seed_asks_all(tmp_path: Path) -> None:
    target = ScriptedBackend(Sampler(["a", "b", "b"]))
    first = answer(pipeline(tmp_path, target))
    again = answer(pipeline(tmp_path, target))
    assert (first, len(target.prompts), len(votes(tmp_path))) == (again, 3, 1)
    other = ScriptedBackend(lambda prompt: "c")
    assert answer(pipeline(tmp_path, other, seed=1)).text == "c"
    assert len(other.prompts) == 3


def test_a_failed_sample_is_no_answer_and_the_others_are_kept(tmp_path: Path) -> None:
    target = ScriptedBackend(Sampler(["a", "b", "b"], fails=1))
    line = pipeline(tmp_path, target)
    with pytest.raises(BackendError, match="not one question was answered"):
        answer(line)
    assert line.outcome.record()["target_failures"] == 1
    assert votes(tmp_path) == []
    up = ScriptedBackend(Sampler(["a", "b", "b"]))
    assert answer(pipeline(tmp_path, up)).text == "b"
    assert len(up.prompts) == 1


def test_a_failed_loop_gives_no_number_of_calls_and_no_answer(tmp_path: Path) -> None:
    def down(prompt: Prompt) -> str:
        raise BackendError("agent", "is down", "Start it.")

    target = ScriptedBackend(lambda prompt: "a")
    line = pipeline(tmp_path, target, reasoner=down)
    assert answer(line).text == ""
    assert (target.prompts, line.outcome.record()["agent_failures"]) == ([], 1)


def test_a_task_that_samples_keeps_its_temperature(tmp_path: Path) -> None:
    target = ScriptedBackend(lambda prompt: "a")
    warm = replace(question(), generation=Generation(temperature=0.2, num_beams=3))
    answer(pipeline(tmp_path, target), warm)
    assert {(p.generation.temperature, p.generation.num_beams) for p in target.prompts} == {
        (0.2, 1)
    }


def test_the_number_of_samples_is_the_traces_number_of_calls(tmp_path: Path) -> None:
    async def trace(question: Question, *, priority: int = 0) -> Any:
        return made_trace("k", stop="unscored")

    poll = Poll("t-1", 0.7, 0, TraceStore(tmp_path))
    prepared = asyncio.run(Consistency(trace, poll).prepare(question()))
    assert (prepared.question, prepared.samples) == (question(), 1), "at least one"


def item(**fields: Any) -> Item:
    given = {
        "id": "x-1",
        "column": "meme",
        "category": "Compositional",
        "question": "Which?",
        "answer": "A",
        "source": Source(dataset="d", id="1"),
    }
    return Item.model_validate({**given, **fields})


@pytest.mark.parametrize(
    ("fields", "reply", "value"),
    [
        ({"options": ("Red", "Blue")}, "Answer: B. Blue", "B"),
        ({"options": ("Red", "Blue")}, "the red one", "A"),
        ({"options": ("Red", "Blue")}, "no idea", None),
        ({"answer": "a flute"}, "Answer: The Flute!", "flute"),
        ({"column": "avsd", "answer": "x"}, "Answer: A man, running.", "man running"),
        ({"column": "dm_match", "id": "d#2", "answer": "yes"}, "Answer: 8 out of 10", "8"),
        ({"column": "dm_match", "id": "d#2", "answer": "yes"}, "fine", None),
    ],
)
def test_our_items_are_read_as_they_are_scored(
    fields: dict[str, Any], reply: str, value: str | None
) -> None:
    assert read_answer(item(**fields), reply) == value


def test_a_sentence_counts_by_the_facts_that_it_states() -> None:
    told = item(
        column="captioning", answer="A red circle.", facts={"colour": "red", "shape": "circle"}
    )
    same = [read_answer(told, text) for text in ("A red circle moves.", "The circle is red!")]
    assert same[0] == same[1] is not None
    assert read_answer(told, "A blue circle.") not in (None, same[0])
    assert read_answer(told, "Nothing of the kind.") is None


def test_the_gold_answer_plays_no_part_in_reading() -> None:
    red = item(options=("Red", "Blue"))
    blue = red.model_copy(update={"answer": "B"})
    for reply in ("A", "Answer: blue", "either", ""):
        assert read_answer(red, reply) == read_answer(blue, reply)


def test_documents_of_other_data_sets_have_no_reader() -> None:
    row = item(options=("Red", "Blue")).model_dump(mode="json")
    reader = reader_of(row)
    assert reader is not None
    assert reader("(B)") == "B"
    for other in ({"question": "x"}, {**row, "column": "worldsense"}, {**row, "facts": "none"}, 3):
        assert reader_of(other) is None
