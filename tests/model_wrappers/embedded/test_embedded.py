"""The embedded models: the trained one really sees and hears, and learnt nothing held out."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from embedded_training import model as training
from embedded_training.clips import Clip as TrainingClip
from embedded_training.clips import clips, rng_of, sample_of, text_only
from embedded_training.exchange import Exchange, answer_of
from embedded_training.exercises import EXERCISES
from embedded_training.findings import caption, corrupted, findings_of, perceived
from embedded_training.perception import picture_labels, sound_labels
from embedded_training.progress import rate_at
from embedded_training.temporal_head import TemporalHead
from embedded_training.thinker import (
    Phase,
    Plan,
    groups,
    logits_of,
    packer_of,
    perceive,
    train_thinker,
)
from embedded_training.towers import Plan as TowerPlan
from embedded_training.towers import load_towers, train_tower

from aurelia_plugin.benchmark.data.documents import question_text
from aurelia_plugin.benchmark.data.items import COLUMNS
from aurelia_plugin.benchmark.reading import score_item
from aurelia_plugin.benchmark.synthetic.build import samples
from aurelia_plugin.benchmark.synthetic.columns import Sample
from aurelia_plugin.benchmark.synthetic.encode import write_mp4
from aurelia_plugin.benchmark.synthetic.render import render
from aurelia_plugin.benchmark.synthetic.scene import held_out
from aurelia_plugin.benchmark.synthetic.vocabulary import COLOURS, INSTRUMENTS
from aurelia_plugin.calling.backend import Generation, Message, Part, Prompt, Text
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.media.clip import Clip, Frames, Media, Waveform
from aurelia_plugin.model_wrappers.catalogue import row
from aurelia_plugin.model_wrappers.delivery.arrays import prepare
from aurelia_plugin.model_wrappers.embedded.backend import OPTIONS, TRAINED, open_backend
from aurelia_plugin.model_wrappers.transformers.backend import TransformersBackend
from aurelia_plugin.reasoning.parsing import read_verdict
from aurelia_plugin.reasoning.prompting import PromptSet

SEED = 990_001
"""Of the clips in these tests; neither training nor tuning has used it."""


SHIPPED = pytest.mark.skipif(
    not (TRAINED / "model.safetensors").is_file(), reason="no trained weights are shipped"
)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> TransformersBackend:
    """The architecture that is trained, before the first step."""
    folder = tmp_path_factory.mktemp("untrained")
    model, processor = training.build(1, folder)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    options = {"max_frames": 32, "longest_side": 56, "min_pixels": 3136, "max_pixels": 3136}
    return TransformersBackend(str(folder), OPTIONS(dtype="float32", **options))


@pytest.fixture(scope="module")
def trained() -> TransformersBackend:
    return open_backend("trained", OPTIONS(**row("embedded").options))


@pytest.fixture(scope="module")
def seen_and_heard(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Sample, Media]]:
    """Twelve real files with the question which colour is seen and which instrument heard."""
    folder = tmp_path_factory.mktemp("clips")
    found = [s for s in samples("avsd", SEED, 48) if s.family == "colour_and_sound"]
    clips = []
    for number, sample in enumerate(found):
        path = folder / f"{number}.mp4"
        write_mp4(path, *render(sample.scene))
        clips.append((sample, Media("video", path=path)))
    return clips


def ask(backend: TransformersBackend, asked: Sequence[tuple[str, Media]]) -> list[str]:
    async def together() -> list[str]:
        prompts = [
            Prompt((Message("user", (medium, Text(text))),), Generation(max_new_tokens=64))
            for text, medium in asked
        ]
        return [reply.text for reply in await asyncio.gather(*map(backend, prompts))]

    return asyncio.run(together())


def accuracy(backend: TransformersBackend, clips: Sequence[tuple[Sample, Media]]) -> float:
    texts = [question_text(sample.item) for sample, _ in clips]
    media = [medium for _, medium in clips]
    replies = ask(backend, list(zip(texts, media, strict=True)))
    return float(
        np.mean(
            [
                score_item(sample.item, reply)["accuracy"]
                for (sample, _), reply in zip(clips, replies, strict=True)
            ]
        )
    )


@SHIPPED
def test_it_sees_and_hears(
    trained: TransformersBackend, seen_and_heard: list[tuple[Sample, Media]]
) -> None:
    muted = [(sample, Clip((medium,)).muted().media[0]) for sample, medium in seen_and_heard]
    blanked = [(sample, Clip((medium,)).blanked().media[0]) for sample, medium in seen_and_heard]
    assert accuracy(trained, seen_and_heard) >= 0.7  # a guess is right one time in twenty-five
    assert accuracy(trained, muted) <= 0.5
    assert accuracy(trained, blanked) <= 0.5


@SHIPPED
def test_the_model_is_small() -> None:
    assert (TRAINED / "model.safetensors").stat().st_size <= 20_000_000
    model = open_backend("trained", OPTIONS()).load().model
    assert sum(weight.numel() for weight in model.parameters()) <= 10_000_000


@SHIPPED
def test_the_card_says_what_it_is_not() -> None:
    card = " ".join((TRAINED / "README.md").read_text(encoding="utf-8").split())
    assert "not evidence for the paper's claim" in card


def test_other_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="there is no such embedded model") as caught:
        open_backend("large", OPTIONS())
    assert "embedded:trained" in caught.value.fix


def test_training_draws_nothing_that_is_held_out() -> None:
    for place in range(150):
        sample = sample_of(rng_of(1, 5, place))
        assert not any(held_out(scene) for scene in (sample.scene, *sample.candidates))
    assert any(held_out(sample.scene) for sample in samples("captioning", 0, 30))


@pytest.mark.parametrize("seed", [0, 1, 1000, 2**40])
def test_no_benchmark_seed_draws_what_training_draws(seed: int) -> None:
    ours = {rng_of(1, step, place).integers(2**60) for step in range(20) for place in range(16)}
    theirs = {
        np.random.default_rng([seed, column, index]).integers(2**60)
        for column in range(len(COLUMNS))
        for index in range(100)
    }
    assert not ours & theirs


def _media(clip: TrainingClip, agent: bool) -> list[Part]:
    assert clip.frames is not None
    sounds = [Media("audio", data=Waveform(samples, 16_000)) for samples in clip.sounds]
    moments = np.arange(len(clip.frames)) / 8
    parts: list[Part] = [Text("Video 1:")] if agent and len(sounds) > 1 else []
    parts.append(Media("video", data=Frames(clip.frames, moments), sound=sounds[0]))
    for number, sound in enumerate(sounds[1:], start=1):
        parts += [Text(f"Audio {number}:"), sound]
    return parts


def _alone(backend: TransformersBackend, clip: TrainingClip, exchange: Exchange) -> torch.Tensor:
    """Return the logits of a reply's first token, asked as a user asks."""
    parts = _media(clip, exchange.agent) if exchange.sees_clip else []
    prompt = Prompt((Message("user", (*parts, Text(exchange.prompt))),))
    loaded = backend.load()
    with torch.inference_mode():
        inputs = backend.inputs([prepare(prompt, loaded.takes)])
        logits: torch.Tensor = loaded.model(**inputs).logits[0, -1]
    return logits


@pytest.mark.parametrize("kind", ["one sound", "five sounds", "no clip"])
def test_training_computes_what_the_real_path_computes(
    untrained: TransformersBackend, kind: str
) -> None:
    """Exchanges packed into one tree get the logits that each gets alone, as a user asks."""
    model, processor, _, _ = untrained.load()
    prompts = PromptSet("default", "embedded")
    if kind == "no clip":
        (clip,) = text_only(1, 7, "reading", 0, {"question": 1}, prompts)
    else:
        wanted = 5 if kind == "five sounds" else 1
        drawn = clips(1, 7, 0, 24, prompts)
        clip = next(clip for clip in drawn if len(clip.sounds) == wanted)
    packed = [packer_of(model, processor)(clip)]
    with torch.inference_mode():
        perceived = perceive(model, processor.feature_extractor, [clip])
        together = logits_of(model, packed, perceived, [0])
    place = 0
    for exchange in clip.exchanges:
        if not exchange.given:
            alone = _alone(untrained, clip, exchange)
            torch.testing.assert_close(together[place], alone, atol=1e-4, rtol=1e-4)
        learnt = exchange.reply[len(exchange.given) :]
        place += len(processor.tokenizer(f"{learnt}<|im_end|>")["input_ids"])
    assert place == len(together)


def test_trees_of_one_group_do_not_touch_one_another(untrained: TransformersBackend) -> None:
    model, processor, _, _ = untrained.load()
    made = clips(1, 9, 0, 3, PromptSet("default", "embedded"), parts="look")
    packed = [packer_of(model, processor)(clip) for clip in made]
    with torch.inference_mode():
        perceived = perceive(model, processor.feature_extractor, made)
        together = logits_of(model, packed, perceived, [0, 1, 2])
        alone = torch.cat([logits_of(model, packed, perceived, [k]) for k in range(3)])
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)
    assert sorted(k for group in groups(packed) for k in group) == [0, 1, 2]


def test_what_is_given_is_not_learnt(untrained: TransformersBackend) -> None:
    packer = packer_of(untrained.load().model, untrained.load().processor)
    prompts = PromptSet("default", "embedded")
    told = [
        e
        for k in range(9)
        for e in text_only(1, k, "reading", 0, {"question": 1}, prompts)[0].exchanges
    ]
    concluded = next(e for e in told if e.role == "conclude" and e.given)
    tree = packer(TrainingClip(None, (), (concluded,), "geoiq"))
    text = packer.processor.decode(tree.targets)
    assert text == concluded.reply[len(concluded.given) :] + "<|im_end|>"
    assert concluded.reply.startswith(concluded.given)


def test_an_answer_counts_thrice_in_every_part(untrained: TransformersBackend) -> None:
    packer = packer_of(untrained.load().model, untrained.load().processor)
    prompts = PromptSet("default", "embedded")
    made = [
        *clips(1, 3, 0, 12, prompts),
        *text_only(1, 3, "last", 0, {"question": 8, "list_position": 1}, prompts),
    ]
    answered: set[str] = set()
    for clip in made:
        tree = packer(clip)
        for number, exchange in enumerate(clip.exchanges):
            own = tree.exchanges == number
            targets, weights = tree.targets[own], tree.weights[own]
            learnt = exchange.reply[len(exchange.given) :] + "<|im_end|>"
            end = f"{exchange.reply}<|im_end|>".partition("Answer: ")[2]
            if not end:
                assert set(weights) <= {np.float32(0.3), np.float32(1.0)}
                continue
            answered.add(exchange.role)
            said = packer.processor.decode(targets[weights == 3.0])
            assert said == ("Answer: " + end if "Answer: " in learnt else end)
            assert set(weights[weights != 3.0]) <= {np.float32(1.0)}
    assert answered == {"direct", "follow", "explore", "cot", "conclude", "caption_qa", "exercise"}


def test_every_region_of_an_atlas_is_concluded_from_its_own_flag_and_melody() -> None:
    prompts = PromptSet("default", "embedded")
    made = [
        clip for k in range(40) for clip in text_only(1, k, "reading", 0, {"question": 4}, prompts)
    ]
    atlases = [clip for clip in made if clip.column == "geoiq"]
    assert len(atlases) > 10
    for clip in atlases:
        concluded = [e for e in clip.exchanges if e.role == "conclude"]
        assert len({e.given for e in concluded}) == len(concluded) >= 4
        for exchange in concluded:
            found = dict(line.split(" -> ") for line in exchange.reply.splitlines() if "->" in line)
            flag, melody, name, *rest = found.values()
            lines = {x[2:].split(":")[0]: x for x in exchange.prompt.splitlines() if x[:2] == "- "}
            assert [n for n, x in lines.items() if f"flag {flag}; anthem {melody}" in x] == [name]
            told = lines[name]
            if "northern neighbour" in told:
                assert told.endswith(f"northern neighbour {rest[0]}")
                told = lines[rest[0]]
            assert [*found.values()][-1] in told


def test_the_findings_of_a_conclusion_are_of_the_same_question() -> None:
    """Many findings under one question: each has the answer that the generator gave with it."""
    prompts = PromptSet("default", "embedded")
    several = 0
    for step in range(30):
        for clip in text_only(1, step, "reading", 0, {"question": 3}, prompts):
            concluded = [e for e in clip.exchanges if e.role == "conclude"]
            assert len({e.prompt for e in concluded}) == 1
            if clip.column == "music_avqa" and len(concluded) > 1:
                several += 1
                for exchange in concluded:
                    found = dict(x.split(" -> ") for x in exchange.reply.splitlines() if "->" in x)
                    _check_music(exchange.prompt, found, exchange.reply)
    assert several > 3


def _check_music(prompt: str, found: dict[str, str], reply: str) -> None:
    answer = reply.rsplit("Answer: ", 1)[-1] if "Answer: " in reply else None
    heard = found.get("Which instruments can be heard?", "").split(", ")
    seen = found.get("Which instruments are in the picture, from left to right?", "").split(", ")
    if answer is None:
        return
    if "How many of the instruments in the picture" in prompt:
        both = [name for name in seen if name in heard]
        assert answer == ("zero", "one", "two", "three")[len(both)]
    elif "Where is the sounding instrument" in prompt:
        assert answer == ("left", "middle", "right")[seen.index(heard[0])]
    elif "heard that is not in the picture" in prompt:
        assert answer == ("no" if set(heard) <= set(seen) else "yes")


def test_exercises_have_their_answers_in_their_texts() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        (copied,) = EXERCISES["copying"](rng)
        assert copied.reply == " ".join([copied.prompt] * 3)
        for exchange in EXERCISES["pairing"](rng):
            asked, answer = exchange.reply.split(" -> ")
            lines = [x[2:] for x in exchange.prompt.splitlines()]
            (line,) = (x for x in lines if x.startswith(f"{asked}:") or x.endswith(f" {asked}"))
            assert line.startswith(f"{answer}:") or line.endswith(f" {answer}")
        for exchange in EXERCISES["lookup"](rng):
            told = [x.split(" -> ") for x in exchange.reply.splitlines()]
            key, answer = told[-2][1], told[-1][1]
            (line,) = (
                x
                for x in exchange.prompt.splitlines()
                if all(y in x.replace(": ", "; ") + ";" for y in _parts(told[:-1]))
            )
            assert answer in line, key
        for exchange in EXERCISES["joint_lookup"](rng):
            said, answer = exchange.reply.split(" -> ")
            _, flag, melody, asked = re.split(r"stripes: |; melody: |\. ", said)
            (line,) = (
                x
                for x in exchange.prompt.splitlines()
                if f"flag {flag}; anthem {melody}; " in x and (asked == "region" or asked in x)
            )
            expected = line[2:].split(":")[0] if asked == "region" else line.split(f"{asked} ")[1]
            assert answer == expected
        for exchange in EXERCISES["list_position"](rng):
            steps = dict(line.split(" -> ") for line in exchange.reply.splitlines() if "->" in line)
            answer = exchange.reply.rsplit("Answer: ", 1)[1]
            seen = steps["Which instruments are in the picture, from left to right?"].split(", ")
            if (both := steps.get("Which instruments are both seen and heard?")) is not None:
                heard = steps["Which instruments can be heard?"].split(", ")
                shared = [name for name in seen if name in heard]
                assert both == (", ".join(shared) or "none")
                assert answer == ("zero", "one", "two", "three")[len(shared)]
            else:
                place = seen.index(next(iter(steps.values())))
                assert answer == ("left", *["middle"] * (len(seen) - 2), "right")[place]
        for exchange in EXERCISES["nearest_number"](rng):
            *lines, answer = re.split(r" -> |\n", exchange.reply)
            near = next(float(x) for x in re.findall(r"(?<!: )\d\.\d", " ".join(lines)))
            sounds = next(x for x in lines if x.startswith("Audio 1: ")).split(", ")
            away = [abs(float(x[9:]) - near) for x in sounds]
            assert answer == f"Audio {int(np.argmin(away)) + 1}"


def _parts(told: list[list[str]]) -> list[str]:
    """Return what must stand in the line that is looked for."""
    names = {"Which stripe": "flag {};", "How does": "anthem {};", "Which region of": "- {};"}
    return [
        pattern.format(found)
        for step, found in told
        for start, pattern in names.items()
        if step.startswith(start)
    ]


def test_a_judgement_scores_the_caption_by_the_thought_before_it() -> None:
    prompts = PromptSet("default", "embedded")
    for step in range(20):
        for exchange in text_only(1, step, "reading", 0, {"caption": 1}, prompts)[0].exchanges:
            verdict = read_verdict(exchange.reply)
            assert verdict is not None
            said = re.sub(r"\d\.\d", "?", exchange.prompt.splitlines()[0].removeprefix("Caption: "))
            thought = re.sub(r"\d\.\d", "?", exchange.reply.split("</think>")[0][7:])
            if verdict.score == 10:  # numbers may be a tenth beside one another
                assert thought == said
            elif "?" not in said:
                assert thought != said


def test_a_value_is_one_token_wherever_it_stands(untrained: TransformersBackend) -> None:
    """Otherwise it could not be looked up by its other form."""
    words = untrained.load().processor.tokenizer
    for value in (*COLOURS, *INSTRUMENTS, "rising", "Velnor", "torl", "0.7", "Audio 3", "still"):
        (one,) = words(value)["input_ids"]
        for text in (f"x {value}", f"x, {value};", f"x -> {value}\n", f"flag {value} with"):
            assert one in words(text)["input_ids"], text
    assert words.decode(words("\nB. Bell")["input_ids"][1:2]) == "B."


def test_an_option_is_answered_by_its_text() -> None:
    for column in ("compositional", "meme", "dm_match"):
        for sample in samples(column, SEED, 8):
            reply = f"Answer: {answer_of(sample.item)}"
            assert score_item(sample.item, reply)["accuracy"] == 1.0


def test_phases_follow_one_another() -> None:
    plan = Plan("reading", 1, (Phase(2, {"copying": 1}), Phase(3, {"question": 2})), 1e-3)
    assert plan.steps == 5
    assert [dict(plan.phase(step).texts) for step in (0, 1, 2, 4)] == [
        {"copying": 1},
        {"copying": 1},
        {"question": 2},
        {"question": 2},
    ]
    with pytest.raises(IndexError):
        plan.phase(5)


def test_labels_say_what_a_scene_holds() -> None:
    for step in range(30):
        sample = sample_of(rng_of(1, 3, step))
        seen, heard = picture_labels(sample.scene), sound_labels(sample.scene)
        assert (seen["slots"] > 0).sum() == len(sample.scene.figures)
        shown = {f.colour for f in sample.scene.figures} if sample.scene.flag is None else None
        if shown is not None:
            told = {COLOURS[k - 1] for k in np.unique(seen["colour"]) if k}
            assert told <= shown
        names = {sound.timbre for sound in sample.scene.sounds if sound.notes}
        assert {n for n, there in zip(INSTRUMENTS, heard["timbres"], strict=True) if there} == names
        onsets = sum(note.onset < 4.0 for sound in sample.scene.sounds for note in sound.notes)
        assert 0 < heard["onset"].sum() <= onsets or onsets == 0


def test_several_figures_are_told_apart_by_their_moments() -> None:
    """A half or a flash is said of the figure that has it, and the other way round."""
    halves = flashes = 0
    for step in range(300):
        sample = sample_of(rng_of(1, 4, step))
        told = {finding.step: finding.answer for finding in perceived(sample.scene)}
        for figure in sample.scene.figures:
            name = f"{figure.colour} {figure.shape}"
            half = told.get(f"Is the {name} shown in the first or in the second half?")
            if half is not None:
                halves += 1
                assert half == ("the first" if figure.shown[0] == 0.0 else "the second")
                assert told[f"Which shape is shown in {half} half?"] == name
                playing = told[f"Which instrument plays in {half} half?"]
                (sound,) = (s for s in sample.scene.sounds if s.timbre == playing)
                assert figure.shown[0] <= sound.notes[0].onset < figure.shown[1]
            when = told.get(f"When does the {name} light up?")
            if when is not None:
                flashes += 1
                assert when == f"after about {figure.flashes[0]:.1f} seconds"
                assert told[f"Which shape lights up {when}?"] == f"The {name}"
                moments = sorted(f.flashes[0] for f in sample.scene.figures)
                turn = ("first", "second", "third")[moments.index(figure.flashes[0])]
                assert told[f"Which shape lights up {turn}?"] == f"The {name}"
                lit = picture_labels(sample.scene)["lit"]
                at = int(np.ceil(figure.flashes[0] * 8))
                assert lit[at, COLOURS.index(figure.colour)] == 1
                assert lit[at].sum() == 2  # its colour and its shape, no other figure's
    assert halves > 10
    assert flashes > 10


def test_a_step_that_refers_to_another_is_not_asked_alone() -> None:
    prompts = PromptSet("default", "embedded")
    drawn = [clips(1, step, 0, 8, prompts, "look") for step in range(12)]
    asked = [look.prompt for made in drawn for clip in made for look in clip.exchanges]
    assert not any("that half" in text or "that moment" in text for text in asked)
    assert any("in the second half" in text for text in asked)


def test_the_temporal_head_asks_the_half_second_of_every_picture_token(
    untrained: TransformersBackend,
) -> None:
    """Its loss can be learnt to nothing by the head alone only if the layer tells the places."""
    model, processor, _, _ = untrained.load()
    head = TemporalHead(model)
    made = clips(1, 9, 0, 2, PromptSet("default", "embedded"), parts="look")
    packed = [packer_of(model, processor)(clip) for clip in made]
    with torch.no_grad():
        perceived = perceive(model, processor.feature_extractor, made)
        logits_of(model, packed, perceived, [0, 1])
        head.steps.weight.zero_()
        head.steps.bias.copy_(torch.tensor([9.0, 0, 0, 0, 0, 0, 0, 0]))
        expected = 0.5 * (np.log(np.exp(9) + 7) - 9 / 8)  # one token of eight shows the first
        assert float(head(packed)) == pytest.approx(2 * expected, rel=1e-5)
        (told,) = text_only(1, 7, "reading", 0, {"question": 1}, PromptSet("default", "embedded"))
        assert float(head([packer_of(model, processor)(told)])) == 0.0


@pytest.mark.parametrize("stage", ["seeing", "hearing", "thinking"])
def test_a_stage_learns_and_resumes_to_the_same_weights(
    untrained: TransformersBackend, tmp_path: Path, stage: str
) -> None:
    """Killed and started again it makes the steps that it would have made."""
    _, processor, _, _ = untrained.load()

    def trained_for(folder: Path, *stops: int) -> Any:
        folder.mkdir()
        for stop in stops:
            model, _ = training.build(1, Path(str(untrained._model)))
            if stage == "thinking":
                phase = Phase(stop, {"lookup": 1}, clips=1, asked=1)
                train_thinker(0, 1, model, processor, Plan(stage, 1, (phase,), 1e-3), folder)
            else:
                plan = TowerPlan(1, stop, 2, 1e-3)
                train_tower(stage, model, processor.feature_extractor, plan, folder)  # type: ignore[arg-type]
        return torch.load(folder / f"{stage}.pt", weights_only=True)

    whole, resumed = trained_for(tmp_path / "whole", 3), trained_for(tmp_path / "parts", 2, 3)
    assert whole["step"] == resumed["step"] == 3
    for kind in ("tower",) if "tower" in whole else ("model", "temporal_head"):
        for name, weight in whole[kind].items():
            torch.testing.assert_close(weight, resumed[kind][name], atol=1e-6, rtol=1e-5)
    rows = (tmp_path / "parts" / f"{stage}.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(row)["step"] for row in rows] == [2, 3]


def test_the_thinker_gets_the_trained_towers(
    untrained: TransformersBackend, tmp_path: Path
) -> None:
    _, processor, _, _ = untrained.load()
    kept = Path(str(untrained._model))
    for sense in ("seeing", "hearing"):
        model, _ = training.build(1, kept)
        train_tower(sense, model, processor.feature_extractor, TowerPlan(1, 1, 2, 1e-3), tmp_path)
    fresh, _ = training.build(2, kept)
    frames = clips(1, 2, 0, 1, PromptSet("default", "embedded"))[0].frames
    assert frames is not None
    with torch.inference_mode():
        before = training.see(fresh, frames[None])
        load_towers(fresh, tmp_path)
        assert not torch.allclose(before, training.see(fresh, frames[None]))


@pytest.mark.parametrize("column", COLUMNS)
def test_a_corrupted_finding_changes_the_caption(column: str) -> None:
    for seed, sample in enumerate(samples(column, SEED, 20)):
        findings = findings_of(sample.item)
        rng = np.random.default_rng(seed)
        degraded = [finding._replace(answer=corrupted(finding.answer, rng)) for finding in findings]
        assert caption(degraded) != caption(findings)


def test_training_resumes_where_it_was_killed(tmp_path: Path) -> None:
    """A batch depends on seed and step alone, and the log says which steps were made."""
    first: Any = clips(3, 11, 0, 2, PromptSet("default", "embedded"))
    again: Any = clips(3, 11, 0, 2, PromptSet("default", "embedded"))
    other: Any = clips(3, 12, 0, 2, PromptSet("default", "embedded"))
    told = [json.dumps([e.prompt for e in clip.exchanges]) for clip in first]
    assert told == [json.dumps([e.prompt for e in clip.exchanges]) for clip in again]
    assert told != [json.dumps([e.prompt for e in clip.exchanges]) for clip in other]
    assert np.array_equal(first[0].frames, again[0].frames)
    assert [rate_at(step, 400) for step in (0, 200, 399)] == [0.01, 1.0, 0.01]
