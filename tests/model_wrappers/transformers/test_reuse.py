"""What is made of a clip once: the same replies as when it is made for each request."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media.conftest import tone

from aurelia_plugin.calling.backend import Generation, Message, Prompt, Reply, Text
from aurelia_plugin.errors import BackendError
from aurelia_plugin.media.clip import Frames, Media, Waveform
from aurelia_plugin.model_wrappers.embedded.backend import TRAINED, folder
from aurelia_plugin.model_wrappers.transformers.backend import (
    TransformersBackend,
    TransformersOptions,
)

REUSING = ("qwen2_5_omni", "qwen3_omni", "gemma3n", "gemma4", "gemma4_unified", "phi4_multimodal",
           "nemotron_omni", "qwen2_5_vl", "qwen2_audio")  # fmt: skip
BATCHING = ("qwen2_5_omni", "qwen3_omni", "qwen2_5_vl", "qwen2_audio")

Place = Callable[[str], Path]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Folders of tiny models, each built once."""

    @functools.cache
    def built(name: str) -> Path:
        if name == "embedded":
            return folder()
        if name == "trained":
            return TRAINED
        with torch.random.fork_rng():
            made: Path = getattr(tiny_models, name)(tmp_path_factory.mktemp(name))
        return made

    return built


def opened(where: Path, **options: object) -> TransformersBackend:
    values = {"dtype": "float32", "max_frames": 4, "longest_side": 56, **options}
    return TransformersBackend(str(where), TransformersOptions.model_validate(values))


def video(seed: int, seconds: float = 1.5, *, sound: bool = True) -> Media:
    pixels = np.random.default_rng(seed).integers(0, 255, (6, 48, 64, 3), dtype=np.uint8)
    wave = Waveform(tone(seconds, 16_000, 200.0 + 90 * seed), 16_000)
    track = Media("audio", data=wave) if sound else None
    return Media("video", data=Frames(pixels, np.arange(6) * seconds / 6), sound=track)


def beep(seed: int, seconds: float = 0.4) -> Media:
    return Media("audio", data=Waveform(tone(seconds, 16_000, 300.0 + 70 * seed), 16_000))


def picture(seed: int) -> Media:
    pixels = np.random.default_rng(seed).integers(0, 255, (1, 48, 64, 3), dtype=np.uint8)
    return Media("image", data=Frames(pixels, np.zeros(1)))


def prompt(*parts: Media | Text, tokens: int = 6, system: str = "") -> Prompt:
    turns = (Message("system", (Text(system),)),) if system else ()
    return Prompt((*turns, Message("user", parts)), Generation(max_new_tokens=tokens))


def loop(*media: Media, iterations: int = 1) -> list[Prompt]:
    """What the roles ask over one clip, and the target after them."""
    asked: list[Prompt] = []
    for number in range(iterations):
        reason = prompt(*media, Text(f"Iteration {number}: which steps lead to the answer?"))
        asked += [
            reason,
            reason.asking_again("no steps", "Write steps."),
            prompt(Text(f"Put steps {number} into one caption."), system="You summarise."),
            prompt(*media, Text(f"Does caption {number} fit?"), system="You are a judge."),
        ]
    return [*asked, prompt(Text("Look and listen."), *media, Text("What is it?"))]


def ask(backend: TransformersBackend, prompts: Sequence[Prompt]) -> list[Reply]:
    async def together() -> list[Reply]:
        return list(await asyncio.gather(*map(backend, prompts)))

    return asyncio.run(together())


@contextmanager
def counted(owner: type, name: str) -> Iterator[list[dict[str, Any]]]:
    """Note the keywords of each call of a method."""
    calls: list[dict[str, Any]] = []
    own = getattr(owner, name)

    @functools.wraps(own)  # the library reads signatures
    def counting(self: object, *args: Any, **named: Any) -> Any:
        calls.append(named)
        return own(self, *args, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, counting)
        yield calls


@pytest.mark.parametrize("name", [*REUSING, "embedded", "trained"])
def test_replies_are_the_same_with_and_without_reuse(place: Place, name: str) -> None:
    clip = [video(3)] if name != "qwen2_audio" else [beep(3)]
    asked = loop(*clip, iterations=2)
    once, anew = opened(place(name)), opened(place(name), reuse_gib=0)
    replies = [asyncio.run(anew(one)) for one in asked]
    assert [asyncio.run(once(one)) for one in asked] == replies
    assert len({reply.text for reply in replies}) > 1, "a model that always says the same"
    assert once.identity == anew.identity


@pytest.mark.parametrize("name", ["qwen2_5_omni", "qwen3_omni"])
def test_questions_with_all_kinds_of_media_are_the_same(place: Place, name: str) -> None:
    asked = [
        *loop(video(1), beep(1), beep(2, 0.7)),
        *loop(video(1, sound=False), picture(1)),
        *loop(picture(2), picture(3), beep(3)),
        *loop(replace(video(1), silenced=True))[:4],
        *loop(replace(video(1), blanked=True))[:4],
        *loop(video(2), video(4, 3.0))[:4],
    ]
    once, anew = opened(place(name), batch_size=5), opened(place(name), reuse_gib=0)
    assert ask(once, asked) == [asyncio.run(anew(one)) for one in asked]


def test_beams_are_searched_as_without_reuse(place: Place) -> None:
    generation = Generation(max_new_tokens=6, num_beams=2)
    asked = [replace(one, generation=generation) for one in loop(video(1))[:4]]
    once, anew = opened(place("qwen2_5_omni")), opened(place("qwen2_5_omni"), reuse_gib=0)
    asyncio.run(once(loop(video(1))[0]))  # the clip is known
    assert ask(once, asked) == ask(anew, asked)


def test_a_clip_goes_through_processor_and_towers_once(place: Place) -> None:
    backend = opened(place("qwen2_5_omni"))
    loaded = backend.load()
    base = type(loaded.model.base_model)
    with (
        counted(type(loaded.processor), "__call__") as processed,
        counted(type(loaded.processor.video_processor), "__call__") as seen,
        counted(type(loaded.processor.feature_extractor), "__call__") as heard,
        counted(base, "get_video_features") as looked,
        counted(base, "get_audio_features") as listened,
    ):
        ask(backend, loop(video(1), iterations=3))
        ask(backend, loop(video(2)))
    with_media = [call for call in processed if call.get("videos")]
    assert [len(calls) for calls in (with_media, seen, heard, looked, listened)] == [2] * 5


def test_what_does_not_fit_into_the_bound_is_made_again(place: Place) -> None:
    backend = opened(place("qwen2_5_omni"), reuse_gib=1e-6)
    asked = loop(video(1))
    with counted(type(backend.load().processor), "__call__") as processed:
        replies = [asyncio.run(backend(one)) for one in asked]
    assert len([call for call in processed if call.get("videos")]) == 4
    assert replies == ask(opened(place("qwen2_5_omni")), asked)


def test_a_processor_that_makes_its_text_otherwise_is_asked_each_time(place: Place) -> None:
    """As one would that put a mark before each prompt over media."""
    backend = opened(place("qwen2_5_omni"))
    processor = backend.load().processor
    own = type(processor).__call__

    def marking(self: Any, text: list[str], **named: Any) -> Any:
        return own(self, text=[f"Look! {one}" for one in text], **named)

    asked = loop(video(1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(processor), "__call__", marking)
        anew = opened(place("qwen2_5_omni"), reuse_gib=0)
        with counted(type(processor), "__call__") as processed:
            replies = [asyncio.run(backend(one)) for one in asked]
        assert len([call for call in processed if call.get("videos")]) == 4
        assert replies == [asyncio.run(anew(one)) for one in asked]


def test_a_prompt_is_made_ready_while_the_model_works(place: Place) -> None:
    backend = opened(place("qwen2_5_omni"))
    loaded = backend.load()
    busy, ready = threading.Event(), threading.Event()
    own = type(loaded.processor).__call__

    def processing(self: Any, **named: Any) -> Any:
        if busy.is_set():
            ready.set()
        return own(self, **named)

    generate = loaded.model.generate

    def working(**inputs: Any) -> Any:
        busy.set()
        assert ready.wait(20), "the next prompt waits for the model"
        return generate(**inputs)

    async def two() -> list[Reply]:
        first = asyncio.create_task(backend(prompt(video(1), Text("What?"))))
        await asyncio.to_thread(busy.wait, 20)
        return list(await asyncio.gather(first, backend(prompt(video(2), Text("What?")))))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(loaded.processor), "__call__", processing)
        patch.setattr(loaded.model, "generate", working)
        assert all(reply.text for reply in asyncio.run(two()))


def pool_of(name: str) -> list[Prompt]:
    """Prompts of unequal length, over clips of unequal size."""
    if name == "qwen2_audio":
        clips = [(beep(n, 0.3 + 0.3 * n),) for n in range(3)]
    else:
        clips = [(video(n, 1.0 + n, sound=n != 1),) for n in range(3)]
    asked = [prompt(*clip, Text("What is it? " * (1 + 2 * n)), tokens=4)
             for n, clip in enumerate(clips)]  # fmt: skip
    asked += [prompt(*clips[0], Text("Really?"), tokens=4), prompt(Text("No media."), tokens=4)]
    if name != "qwen2_5_vl":
        asked.append(prompt(*clips[2], beep(5), Text("The same?"), tokens=4))
    return asked


class Alone:
    """Replies to a pool of prompts, each asked by itself."""

    def __init__(self, where: Path, name: str) -> None:
        self.where = where
        self.pool = pool_of(name)
        backend = opened(where, batch_size=1, reuse_gib=0)
        self.replies = [asyncio.run(backend(one)) for one in self.pool]
        sizes: tuple[int | str, ...] = (2, 3, 5, "auto")
        self.backends = {size: opened(where, batch_size=size) for size in sizes}  # loaded once


@pytest.fixture(scope="module", params=BATCHING)
def alone(request: pytest.FixtureRequest, place: Place) -> Alone:
    return Alone(place(request.param), request.param)


@settings(deadline=None, max_examples=6, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_greedy_replies_in_float32_do_not_depend_on_the_batch(
    alone: Alone, data: st.DataObject
) -> None:
    size = data.draw(st.sampled_from(list(alone.backends)))
    chosen = data.draw(st.lists(st.sampled_from(range(len(alone.pool))), min_size=1, max_size=8))
    found = ask(alone.backends[size], [alone.pool[n] for n in chosen])
    assert found == [alone.replies[n] for n in chosen]


def test_auto_steps_back_where_memory_ends_and_loses_no_request(place: Place) -> None:
    backend = opened(place("qwen2_5_omni"), batch_size="auto")
    asked = [prompt(video(1), Text(f"Question {n}?")) for n in range(30)]
    generate = backend.load().model.generate
    sizes: list[int] = []

    def limited(**inputs: Any) -> Any:
        sizes.append(len(inputs["input_ids"]))
        if sizes[-1] > 5:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return generate(**inputs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend.load().model, "generate", limited)
        replies = ask(backend, asked)
    assert replies == ask(opened(place("qwen2_5_omni")), asked)
    assert sizes[:4] == [1, 2, 4, 8]
    assert [size for size in sizes if size > 5] == [8, 6]  # each is tried once
    assert max(sizes[-3:]) > 2


def test_one_request_that_memory_does_not_hold_is_an_error_with_a_fix(place: Place) -> None:
    backend = opened(place("qwen2_5_omni"))

    def none(**_: object) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend.load().model, "generate", none)
        with pytest.raises(BackendError, match=r"more than the memory holds.*20\.00 GiB") as caught:
            asyncio.run(backend(prompt(video(1), Text("?"))))
    assert "max_frames" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "size"), [("qwen2_5_omni", 8), ("gemma4", 1), ("phi4_multimodal", 1)]
)
def test_auto_is_one_for_families_whose_batches_differ(place: Place, name: str, size: int) -> None:
    assert opened(place(name), batch_size="auto").concurrency == 2 * size
    assert opened(place(name)).concurrency == 2, "without a GPU, one by one is the default"
