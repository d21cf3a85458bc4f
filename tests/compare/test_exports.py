from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from benchmark.handmade import ITEMS
from huggingface_hub import parse_eval_result_entries
from huggingface_hub.repocard_data import model_index_to_eval_results
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from aurelia_plugin.benchmark.reading import score_item
from aurelia_plugin.cli import main
from aurelia_plugin.compare.comparing import Options, compare
from aurelia_plugin.compare.outputs.exports.blind import export_blind
from aurelia_plugin.compare.outputs.exports.leaderboard import Publication, export_leaderboard
from aurelia_plugin.compare.outputs.exports.standalone import read_questions, score_reply
from aurelia_plugin.compare.result import Comparison, RunInfo
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.reasoning.prompting import PromptSet

from .making_logs import make_trace, our_row, row, write_plugin_run, write_run

_RUNNER = """
import json, sys
from lm_eval.__main__ import cli_evaluate
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["lm_eval", *arguments]
    cli_evaluate()
"""


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, Path]:
    """Two arms over the handmade items; the last question has no steps."""

    def rows(right: bool) -> list[dict[str, Any]]:
        return [
            our_row(item, k, float(right), item.answer if right else "?")
            for k, item in enumerate(ITEMS)
        ]

    traces = [
        make_trace(f"{k:02d}", [f"step of {item.id}"] if k < 13 else [], [7], "accepted")
        for k, item in enumerate(ITEMS)
    ]
    return {
        "none": write_plugin_run(tmp_path / "none", "avr", rows(False), condition="none"),
        "aurelia": write_plugin_run(
            tmp_path / "aurelia", "avr", rows(True), condition="aurelia", traces=traces
        ),
    }


@pytest.fixture
def result(runs: dict[str, Path]) -> Comparison:
    return compare(runs, Options(draws=200))


def test_three_variants_of_every_question(result: Comparison, tmp_path: Path) -> None:
    made = export_blind(result, tmp_path)
    assert dict(made.counts) == {"question": 14, "question_steps": 13, "question_caption": 14}
    plain = read_questions(tmp_path / "data" / "question.jsonl")
    assert [doc["prompt"] for doc in plain] == [item.question for item in result.items]
    steps = read_questions(tmp_path / "data" / "question_steps.jsonl")
    preface = PromptSet().render("inject", {"steps": ("step of m-1",), "step_answers": ()})
    assert steps[0]["prompt"] == f"{preface}\n\n{plain[0]['prompt']}"  # as the target reads them
    captions = read_questions(tmp_path / "data" / "question_caption.jsonl")
    assert "caption of 00" in captions[0]["prompt"]
    page = (tmp_path / "README.md").read_text()
    assert "13 of 14" in page
    # The sections of a task's page in lm-evaluation-harness, in their order.
    sections = ["Paper", "Citation", "Groups, Tags, and Tasks", "Checklist", "Changelog"]
    assert re.findall(r"^### (.+)$", page, re.MULTILINE) == sections
    assert all(f"* `aurelia_blind_{name}`" in page for name in made.counts)
    with pytest.raises(ConfigError, match="Choose from: none, aurelia"):
        export_blind(result, tmp_path, "nobody")


@pytest.mark.parametrize("reply", ["{gold}", "Answer: {gold}", "wrong", ""])
def test_replies_are_scored_by_the_parser_of_the_other_arms(
    result: Comparison, tmp_path: Path, reply: str
) -> None:
    export_blind(result, tmp_path)
    docs = read_questions(tmp_path / "data" / "question.jsonl")
    for item, doc in zip(ITEMS, docs, strict=True):
        text = reply.format(gold=item.answer)
        assert score_reply(doc, text) == score_item(item, text)


def test_questions_of_other_tasks_are_scored_by_letter_or_words(tmp_path: Path) -> None:
    words = {**row(1, 0), "target": "Paris", "input": "Capital?"}
    result = compare({"x": write_run(tmp_path / "x", {"qa": [row(0, 1), words]})})
    assert dict(export_blind(result, tmp_path / "to").counts) == {"question": 2}
    letter, name = read_questions(tmp_path / "to" / "data" / "question.jsonl")
    assert score_reply(letter, "A. yes it is")["score"] == 1
    assert score_reply(letter, "B")["score"] == 0
    assert score_reply(letter, "perhaps") == {"score": 0, "accuracy": 0, "unparsed": 1}
    assert score_reply(name, "paris.")["score"] == 1
    assert score_reply(name, "London")["score"] == 0


def _tiny_model(folder: Path, texts: list[str]) -> Path:
    """Save a GPT-2 of two small layers with random weights, and a tokenizer by letters."""
    letters = sorted({letter for text in texts for letter in text})
    words = {"<s>": 0, "<pad>": 1, **{letter: k + 2 for k, letter in enumerate(letters)}}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<s>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="<s>", pad_token="<pad>"
    )
    fast.save_pretrained(folder)
    size = {"n_positions": 2048, "n_embd": 16, "n_layer": 2, "n_head": 2}
    ends = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1}
    GPT2LMHeadModel(GPT2Config(vocab_size=len(words), **size, **ends)).save_pretrained(folder)
    return folder


def test_lm_eval_runs_the_tasks_and_compare_reads_what_it_logs(
    runs: dict[str, Path], result: Comparison, tmp_path: Path
) -> None:
    """With lm-eval's own dummy model, and with a real one, tiny and local."""
    assert main(["export", "lm-eval", str(result.write(tmp_path).parent)]) == 0
    tasks = (tmp_path / "lm-eval").rename(tmp_path / "moved")  # the folder may be moved
    texts = [doc["prompt"] for doc in read_questions(tasks / "data" / "question_steps.jsonl")]
    tiny = _tiny_model(tmp_path / "tiny", texts)
    commands = [
        [
            *("--model", model, "--model_args", arguments, "--include_path", str(tasks)),
            *("--tasks", "aurelia_blind", "--gen_kwargs", "max_gen_toks=4", "--device", "cpu"),
            *("--output_path", str(tmp_path / f"text_{model}"), "--log_samples"),
        ]
        for model, arguments in (("dummy", "x=1"), ("hf", f"pretrained={tiny},dtype=float32"))
    ]
    done = subprocess.run(
        [sys.executable, "-c", _RUNNER, json.dumps(commands)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    text = {model: tmp_path / f"text_{model}" for model in ("dummy", "hf")}
    found = compare({**runs, **text}, Options(draws=200))
    assert [run.label for run in found.runs[2:]] == [
        f"{model}: {variant}"
        for model in ("dummy", "hf")
        for variant in ("question", "question + caption", "question + steps")
    ]
    assert {run.harness for run in found.runs[2:]} == {"lm-eval"}
    assert found.run("hf: question").model == "hf"
    for run in found.runs[2:]:
        one = found.contrast(run.label, "all")
        assert one is not None
        assert one.n == (13 if "steps" in run.label else 14)
    assert found.items[0].arms["dummy: question"].answer == "lol"
    said = [item.arms["hf: question"].answer for item in found.items]
    assert any(said)
    assert "lol" not in said
    assert "dummy: question + steps" not in found.items[13].arms


def test_leaderboard_files_are_what_the_hub_reads(result: Comparison, tmp_path: Path) -> None:
    how = Publication(model="me/model", dataset="me/bench", url="https://example.org/logs")
    paths = export_leaderboard(result, tmp_path, "aurelia", how)
    assert {path.name for path in paths} == {"row.md", "model-index.yaml", "aurelia.yaml"}
    index = yaml.safe_load((tmp_path / "model-index.yaml").read_text())["model-index"]
    name, entries = model_index_to_eval_results(index)
    assert name == "me/model"
    assert len(entries) == len(result.columns) == 7
    assert {entry.metric_value for entry in entries} == {100.0}
    listed = yaml.safe_load((tmp_path / ".eval_results" / "aurelia.yaml").read_text())
    parsed = parse_eval_result_entries(listed)
    assert [entry.dataset_id for entry in parsed] == ["me/bench"] * 7
    assert "n=2" in str(parsed[0].notes)
    assert "condition=aurelia" in str(parsed[0].notes)
    line = (tmp_path / "row.md").read_text().splitlines()[-1]
    assert line.startswith("| me/model | aurelia | 100.0 (")


def test_leaderboard_of_local_data_has_no_hub_entries(
    result: Comparison, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def local(run: RunInfo) -> RunInfo:
        tasks = tuple(task.model_copy(update={"data": "json"}) for task in run.tasks)
        return run.model_copy(update={"tasks": tasks})

    changed = result.model_copy(update={"runs": tuple(local(run) for run in result.runs)})
    folder = changed.write(tmp_path)
    assert main(["export", "leaderboard", str(folder.parent)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "Name one with --arm: none, aurelia"
    assert main(["export", "leaderboard", str(folder.parent), "--arm", "none"]) == 0
    assert "No .eval_results" in capsys.readouterr().out
    assert not (tmp_path / "leaderboard" / ".eval_results").exists()
