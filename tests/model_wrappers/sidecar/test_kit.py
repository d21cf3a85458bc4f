"""What adapters are written with."""

from __future__ import annotations

import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from aurelia_plugin.model_wrappers.sidecar.kit import (
    TAG,
    Block,
    Generation,
    Image,
    MediaError,
    RequestError,
    Sound,
    Text,
    Used,
    Video,
    conversation,
    fitted,
    spliced,
    turns,
)
from aurelia_plugin.model_wrappers.sidecar.kit.accounting import unaccounted
from aurelia_plugin.model_wrappers.sidecar.kit.forms import blocks_from, generation_from
from aurelia_plugin.model_wrappers.sidecar.kit.models import counted, first_logits, prompt_length
from aurelia_plugin.model_wrappers.sidecar.kit.sound import cropped, read_samples, read_waveform
from aurelia_plugin.model_wrappers.sidecar.kit.tiny import byte_letters, resized

VIDEO = Video("user", "a.mp4", "a.wav", 2.0, 2.0)


def wav(path: Path, seconds: float = 1.0, rate: int = 16_000, channels: int = 1) -> str:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.full(round(rate * seconds) * channels, 1024, "<i2").tobytes())
    return str(path)


def test_blocks_and_generation_are_read_or_refused() -> None:
    rows: list[dict[str, Any]] = [
        {"type": "text", "role": "user", "text": "a", "shorter": ["b"]},
        {"type": "image", "role": "user", "path": "p.png"},
    ]
    assert blocks_from(rows) == [Text("user", "a", ("b",)), Image("user", "p.png")]
    wrong: list[dict[str, Any]] = [
        {"type": "smell", "role": "user"},
        {"type": "text", "words": "a"},
        {"role": "user"},
    ]
    for row in wrong:
        with pytest.raises(ValueError, match="not a block"):
            blocks_from([row])
    assert generation_from({"until": ["a"]}).until == ("a",)
    with pytest.raises(ValueError, match="not generation settings"):
        generation_from({"speed": 1})


def test_generation_is_greedy_unless_asked_otherwise() -> None:
    upstream = {"do_sample": True, "temperature": 0.2}
    assert Generation(max_new_tokens=3).arguments(upstream) == {
        "max_new_tokens": 3,
        "do_sample": False,
        "num_beams": 1,
    }
    warm = Generation(temperature=0.5, top_k=4).arguments(upstream)
    assert (warm["do_sample"], warm["temperature"], warm["top_k"]) == (True, 0.5, 4)
    assert "top_p" not in warm
    own = Generation(max_new_tokens=3, temperature=0.9, decoding="upstream").arguments(upstream)
    assert own == {"do_sample": True, "temperature": 0.2, "max_new_tokens": 3}


def test_words_of_a_request_as_one_text_and_as_turns() -> None:
    blocks: list[Block] = [
        Text("user", "Look."),
        VIDEO,
        Text("user", "What?"),
        Text("assistant", "A bell."),
    ]
    assert conversation(blocks) == "Look.\nWhat?\n\nYour reply was: A bell."
    assert turns(blocks) == [
        {"role": "user", "content": f"Look.\n{TAG}\nWhat?"},
        {"role": "assistant", "content": "A bell."},
    ]
    with pytest.raises(RequestError, match=r"U\+E000"):
        turns([Text("user", f"a{TAG}")])


def test_ids_of_media_go_in_the_places_of_their_tags() -> None:
    def tokens(text: str) -> list[int]:
        return [ord(letter) for letter in text]

    assert spliced(f"a{TAG}b{TAG}", [[-1], [-2, -3]], tokens) == [97, -1, 98, -2, -3]
    assert spliced("a", [], tokens) == [97]
    with pytest.raises(ValueError, match="2 media for 1 places"):
        spliced(f"a{TAG}", [[-1], [-2]], tokens)


def test_reasoning_is_shortened_by_whole_steps_until_it_fits() -> None:
    blocks: list[Block] = [VIDEO, Text("user", "12 34 56 q", ("12 34 q", "12 q", "q"))]

    def within(limit: int) -> tuple[str, int]:
        form, dropped = fitted(blocks, lambda form: len(conversation(form)) <= limit)
        assert form[0] is VIDEO
        return conversation(form), len(dropped)

    assert within(99) == ("12 34 56 q", 0)
    assert within(9) == ("12 34 q", 1)
    assert within(3) == ("q", 3)
    with pytest.raises(RequestError, match="even without reasoning"):
        within(0)
    with pytest.raises(RequestError):
        fitted([Text("user", "no reasoning here")], lambda form: False)


@pytest.mark.parametrize(
    ("used", "problem"),
    [
        (Used(frames=1, clips=1, sound_seconds=1.0, sound_tokens=4), ""),
        (Used(frames=1, dropped=["soundtrack: deaf"]), ""),
        (Used(clips=1, sound_seconds=1.0, sound_tokens=4, dropped=["video: blind"]), ""),
        (Used(frames=1), "1 of 1 sounds are neither"),
        (Used(frames=1, dropped=["text: cut"]), "1 of 1 sounds are neither"),
        (Used(clips=1, sound_seconds=1.0, sound_tokens=4), "a video is neither"),
        (Used(frames=1, clips=1, sound_seconds=1.0), "no sound token was counted"),
    ],
)
def test_every_medium_is_used_or_declared(used: Used, problem: str) -> None:
    blocks: list[Block] = [VIDEO, Text("user", "?")]
    assert problem in unaccounted(blocks, used)
    assert bool(unaccounted([VIDEO], used)) == bool(problem)


def test_images_and_several_sounds_are_counted() -> None:
    sounds = [Sound("user", "s.wav", 1.0)] * 2
    blocks: list[Block] = [Image("user", "a.png"), Image("user", "b.png"), *sounds]
    two = Used(images=2, clips=2, sound_seconds=2.0, sound_tokens=2)
    assert unaccounted(blocks, two) == ""
    assert "1 images" in unaccounted(
        blocks, Used(images=1, clips=2, sound_seconds=2, sound_tokens=2)
    )
    assert "1 of 2 sounds" in unaccounted(
        blocks, Used(images=2, clips=1, sound_seconds=1, sound_tokens=1)
    )


def test_what_is_heard_is_counted_up_to_its_limit() -> None:
    used = Used()
    used.hear(3.0)
    used.hear(5.0, 4.0, "soundtrack", "it listens no longer")
    assert (used.clips, used.sound_seconds) == (2, 7.0)
    assert used.dropped == ["soundtrack beyond 4 s: it listens no longer"]


def test_whole_blocks_are_declared_by_what_they_hold() -> None:
    used = Used()
    silent = VIDEO._replace(sound=None)
    for block in (VIDEO, silent, Text("user", "a"), Sound("user", "s", 1.0), Image("user", "i")):
        used.leave_out(block, "no")
    assert used.dropped == ["video: no", "soundtrack: no", "video: no", "sound: no", "image: no"]


def test_sound_is_read_or_refused_and_never_silence(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav")
    assert len(read_samples(path)) == 16_000
    waveform = read_waveform(path)
    assert (waveform.dtype, waveform.shape, waveform[0]) == (np.float32, (16_000,), 1 / 32)
    noise = tmp_path / "noise.wav"
    noise.write_bytes(b"RIFF")
    for bad, said in [
        (str(noise), "cannot be read as sound"),
        (str(tmp_path / "none.wav"), "cannot be read as sound"),
        (wav(tmp_path / "empty.wav", 0.0), "holds no sound"),
        (wav(tmp_path / "fast.wav", rate=44_100), "not one channel"),
        (wav(tmp_path / "stereo.wav", channels=2), "not one channel"),
    ]:
        with pytest.raises(MediaError, match=said):
            read_waveform(bad)


def test_a_long_sound_is_cropped_to_its_beginning(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", 3.0)
    assert cropped(path, 3.0, str(tmp_path)) == path
    shorter = cropped(path, 1.5, str(tmp_path))
    assert len(read_samples(shorter)) == 24_000
    assert read_samples(shorter)[0] == 1024


def test_hooks_note_logits_positions_and_lengths_and_go_away() -> None:
    projector = torch.nn.Linear(4, 2)

    class Core(torch.nn.Module):
        def forward(self, inputs_embeds: torch.Tensor) -> tuple[torch.Tensor]:
            return (inputs_embeds * 2,)

    core = Core()
    with first_logits(core) as logits, counted(projector) as seen, prompt_length(core) as prompt:
        projector(torch.zeros(3, 5, 4))
        projector(torch.zeros(1, 2, 4))
        core(inputs_embeds=torch.ones(1, 7, 3))
        core(inputs_embeds=torch.zeros(1, 1, 3))
    assert logits.as_list() == [2.0, 2.0, 2.0]
    assert (seen.positions, prompt.positions) == (17, 7)
    assert not projector._forward_hooks
    assert not core._forward_hooks
    assert not core._forward_pre_hooks


def test_byte_letters_and_resized_configurations() -> None:
    letters = byte_letters()
    assert len(set(letters)) == 256
    assert (letters[ord("a")], letters[ord(" ")], letters[ord("\n")]) == ("a", "\u0120", "\u010a")

    class Config:
        def __init__(self, size: int = 768) -> None:
            self.size, self.other = size, 1

    small = resized(Config, {"size": 32})()
    assert (small.size, small.other) == (32, 1)


SHIMS = """
import os, sys, types
from aurelia_plugin.model_wrappers.sidecar.kit import repairs, shims
shims.stub("no_such.ops", run=len); shims.stub("json.no_such"); shims.stub("wave")
import no_such.ops, json.no_such, wave, importlib.util
assert no_such.ops.run is len and json.dumps and wave.open
assert importlib.util.find_spec("no_such.ops") is not None
shims.stub_after(["wsgiref", "not_installed_at_all"], ["nor_this"])
assert "wsgiref" in sys.modules and sys.modules["nor_this"].__path__ == []
place = shims.linked(sys.argv[2], {"a/config.txt": sys.argv[1]})
before = os.getcwd()
with shims.working_in(place):
    assert os.path.samefile("a/config.txt", sys.argv[1])
assert os.getcwd() == before
shims.import_from(place)
assert sys.path[0] == place
import torch
repairs.run_on_cpu()
assert torch.zeros(1).half().cuda().dtype == torch.float32
assert torch.nn.Linear(1, 1).half().cuda().weight.dtype == torch.float32
encoded = types.ModuleType("pytorchvideo.data.encoded_video")
class EncodedVideo:
    @classmethod
    def from_path(cls, path, decode_audio=True, decoder="pyav"):
        return path, decode_audio, decoder
encoded.EncodedVideo = EncodedVideo
shims.stub("pytorchvideo.data")
sys.modules[encoded.__name__] = encoded
repairs.pytorchvideo_that_imports()
import torchvision.transforms.functional_tensor
made = EncodedVideo.from_path("a.mp4", decode_audio=False, sample_rate=16000)
assert made == ("a.mp4", False, "pyav")
audio = sys.modules["torchaudio"] = types.ModuleType("torchaudio")
repairs.load_sound_without_torchcodec()
samples, rate = audio.load(sys.argv[1])
assert samples.shape == (1, 16000) and rate == 16000 and samples.dtype == torch.float32
part, rate = audio.load(sys.argv[1], frame_offset=100, num_frames=300)
assert torch.equal(part, samples[:, 100:400]) and rate == 16000
told = audio.info(sys.argv[1])
assert (told.num_frames, told.sample_rate, told.num_channels) == (16000, 16000, 1)
print("all is well")
"""


def test_shims_change_a_process_of_their_own(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SHIMS, wav(tmp_path / "a.wav"), str(tmp_path / "linked")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "all is well", done.stderr


def test_the_kit_needs_the_standard_library_alone() -> None:
    code = (
        "import sys, runpy; sys.argv = ['worker.py'];"
        "w = runpy.run_path(sys.orig_argv[-1]); w['make_importable']();"
        "import aurelia_plugin.model_wrappers.sidecar.kit.sound;"
        "import aurelia_plugin.model_wrappers.sidecar.kit.models;"
        "import aurelia_plugin.model_wrappers.sidecar.kit.shims;"
        "import aurelia_plugin.model_wrappers.sidecar.kit.repairs;"
        "import aurelia_plugin.model_wrappers.sidecar.kit.imagebind;"
        "import aurelia_plugin.model_wrappers.sidecar.kit.tiny;"
        "heavy = ('torch', 'numpy', 'yaml', 'pydantic', 'transformers');"
        "print([name for name in heavy if name in sys.modules])"
    )
    worker = Path(__file__).parents[3] / "model_wrappers" / "sidecar" / "worker.py"
    command = [sys.executable, "-S", "-c", code, str(worker)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
