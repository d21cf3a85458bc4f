"""Caption metrics against the reference implementation."""

from __future__ import annotations

import json
import math
import os
import pickle
import random
import shutil
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocoevalcap.bleu.bleu import Bleu  # type: ignore[import-untyped]
from pycocoevalcap.cider.cider import Cider  # type: ignore[import-untyped]
from pycocoevalcap.rouge.rouge import Rouge  # type: ignore[import-untyped]
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer  # type: ignore[import-untyped]

from aurelia_plugin.benchmark.reading import score_item
from aurelia_plugin.benchmark.scoring import captions
from aurelia_plugin.benchmark.scoring.captions import (
    CAPTION_METRICS,
    Caption,
    CaptionValue,
    bleu,
    caption_values,
    cider,
    cider_each,
    rouge_each,
    without_stop_tokens,
    words,
)

from .handmade import ITEMS

DATA = Path(__file__).resolve().parents[1] / "data"
_JAVA = shutil.which("java") is not None


def _references() -> list[list[str]]:
    content = json.loads((DATA / "avsd_dstc7_test_multiref_sample.json").read_text())
    found = defaultdict(list)
    for annotation in content["annotations"]:
        found[annotation["image_id"]].append(annotation["caption"])
    return list(found.values())


def _made_up() -> list[Caption]:
    rng = random.Random(7)
    vocabulary = ["a", "man", "dog", "the", "opens", "door", "sings", "loudly", "red", "kettle"]

    def sentence() -> str:
        return " ".join(rng.choices(vocabulary, k=rng.randint(1, 12)))

    return [
        Caption(sentence(), tuple(sentence() for _ in range(rng.randint(1, 6)))) for _ in range(40)
    ]


def _sample() -> list[Caption]:
    return [
        Caption(words(group[0]), tuple(words(text) for text in group[1:]))
        for group in _references()
    ]


@pytest.mark.parametrize("made", [_sample, _made_up])
def test_our_figures_are_those_of_the_reference_library(made: object) -> None:
    items: list[Caption] = made()  # type: ignore[operator]
    references = {n: list(item.references) for n, item in enumerate(items)}
    said = {n: [item.said] for n, item in enumerate(items)}
    values = [CaptionValue(item, f"v{n}") for n, item in enumerate(items)]
    expected, _ = Bleu(4).compute_score(references, said, verbose=0)
    for number, value in enumerate(expected, start=1):
        assert CAPTION_METRICS[f"bleu_{number}"](values) == pytest.approx(value, abs=1e-6)
    expected, each = Cider().compute_score(references, said)
    assert cider(values) == pytest.approx(expected, abs=1e-6)
    assert [value["score"] for value in values] == pytest.approx(list(each), abs=1e-6)
    expected, each = Rouge().compute_score(references, said)
    assert CAPTION_METRICS["rouge_l"](values) == pytest.approx(expected, abs=1e-6)
    assert rouge_each(items) == pytest.approx(list(each), abs=1e-6)


def test_people_left_one_out_on_the_sample() -> None:
    """The first of six references against the other five, without a tokeniser.

    The same computation over all 1,710 dialogs of the file gives BLEU-4 0.3466, CIDEr 1.1354 and
    ROUGE_L 0.5693 (0.3013, 1.0064 and 0.5563 as the mean over all six, each against the others).
    """
    groups = _references()
    assert [len(group) for group in groups] == [6] * 25
    items = [Caption(group[0], tuple(group[1:])) for group in groups]
    found = [*bleu(items), sum(cider_each(items)) / 25, sum(rouge_each(items)) / 25]
    assert found == pytest.approx(
        [0.694498, 0.536272, 0.412298, 0.31776, 1.161581, 0.524225], abs=1e-6
    )


@pytest.mark.skipif(not _JAVA, reason="the reference tokeniser is a Java program")
def test_words_are_those_of_the_java_tokeniser() -> None:
    texts = [text for group in _references() for text in group]
    for name in ("avsd_dstc7_test_sample.json", "avsd_dstc8_test_sample.json"):
        for dialog in json.loads((DATA / name).read_text())["dialogs"]:
            turns = [
                text for turn in dialog["dialog"] for text in turn.values() if "__" not in text
            ]
            texts += [dialog["caption"], dialog["summary"], *turns]
    texts += [
        "A man doesn't know what he's doing; it's 10:30!",
        'She said "hello" (twice) to the well-dressed dog, and it barked...',
        "I cannot hear the U.S. anthem, but we'll see 1,000 people or 50% of them.",
    ]
    expected = PTBTokenizer().tokenize({n: [{"caption": t}] for n, t in enumerate(texts)})
    assert [words(text) for text in texts] == [expected[n][0] for n in range(len(texts))]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't stop!", "do n't stop"),
        ("it\u2019s the dog's", "it 's the dog 's"),
        ("there 's a well-known man .", "there 's a well-known man"),
        ("I can 't", "i can t"),
        ("cannot (now)", "can not -lrb- now -rrb-"),
        ("3.5 and 1,000", "3.5 and 1,000"),
        ("", ""),
        ("...", ""),
    ],
)
def test_words(text: str, tokens: str) -> None:
    assert words(text) == tokens


@given(st.text())
def test_words_never_raise_and_stay_words(text: str) -> None:
    tokens = words(text)
    assert tokens == " ".join(tokens.split())


def test_stop_tokens_go_and_nothing_else() -> None:
    assert without_stop_tokens("yes , he does . 3.5 a.m .") == "yes he does 3.5 a.m"


def test_the_stop_token_rule_is_avsds_only() -> None:
    dialog, caption = ITEMS[2], ITEMS[4]
    spoken = caption_values("he . opens , it", dialog.references, "v", stop_tokens=False)
    assert spoken["cider"].caption.said == "he opens it"
    assert score_item(dialog, "Answer: he . opens the door .")["score"] == pytest.approx(1.0)
    written = caption_values("A tap, runs.", caption.references, "v")
    assert written["cider"].caption.said == "a tap runs"


def test_empty_replies_score_nothing() -> None:
    values = [CaptionValue(Caption("", ("a b", "c")), "v"), CaptionValue(Caption("a", ("",)), "w")]
    assert CAPTION_METRICS["rouge_l"](values) == 0.0
    assert cider(values) == 0.0
    assert bleu([value.caption for value in values])[3] == pytest.approx(0.0, abs=1e-6)


def test_values_travel_between_processes_and_into_the_log() -> None:
    value = CaptionValue(Caption("a", ("b",)), "v")
    value["score"] = 0.5
    copy = pickle.loads(pickle.dumps(value))
    assert copy == value == {"video": "v", "score": 0.5}
    assert copy.caption == value.caption
    assert json.loads(json.dumps(value)) == {"video": "v", "score": 0.5}


def test_without_java_it_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    values = [CaptionValue(Caption("a man", ("a man",)), "v")]
    assert math.isnan(captions.meteor(values))
    assert math.isnan(captions.spice(values))
    assert "METEOR is not computed: Java is not installed" in caplog.text
    assert "SPICE is not computed: Java is not installed" in caplog.text


def _stand_in_for_java(folder: Path, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a program named `java` on the path, and let the models of SPICE be there."""
    java = folder / "java"
    java.write_text(f"#!{sys.executable}\n{program}")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(captions, "_SPICE_MODELS", "ejml-0.23.jar")  # one that comes with it
    monkeypatch.setattr("pycocoevalcap.spice.spice.get_stanford_models", lambda: None)


def test_spice_is_the_mean_of_what_its_program_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program itself needs models that no package registry has: it was not run."""
    program = """
import json, sys
asked = json.load(open(sys.argv[4]))
assert sys.argv[1:4] == ["-jar", "-Xmx8G", "spice-1.0.jar"]
scores = [{"image_id": one["image_id"], "scores": {"All": {"f": len(one["refs"]) / 4}}}
          for one in asked]
json.dump(scores, open(sys.argv[sys.argv.index("-out") + 1], "w"))
"""
    _stand_in_for_java(tmp_path, program, monkeypatch)
    first = CaptionValue(Caption("a man", ("a man",)), "v")
    second = CaptionValue(Caption("a dog", ("a dog", "the dog", "one dog")), "w")
    assert captions.spice([first, second]) == 0.5


def test_a_failure_of_spices_program_is_no_figure_and_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _stand_in_for_java(tmp_path, "raise SystemExit(3)", monkeypatch)
    values = [CaptionValue(Caption("a man", ("a man",)), "v")]
    assert math.isnan(captions.spice(values))
    assert "SPICE is not computed: its Java program failed" in caplog.text
    assert captions.rouge_l_mean(values) == pytest.approx(1.0)


@pytest.mark.skipif(not _JAVA, reason="METEOR is a Java program")
def test_with_java_there_is_meteor(caplog: pytest.LogCaptureFixture) -> None:
    same = CaptionValue(Caption("a man opens the door", ("a man opens the door",)), "v")
    other = CaptionValue(Caption("nothing of that", ("a kettle whistles",)), "w")
    assert 0.3 < captions.meteor([same, other]) < 0.7
    assert same["score"] > 0.99
    assert other["score"] < 0.2
    assert math.isnan(captions.spice([same])) == ("its models are not there" in caplog.text)
