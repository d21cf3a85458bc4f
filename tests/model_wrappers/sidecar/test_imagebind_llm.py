"""The ImageBind-LLM adapter against a stand-in whose replies tell what it was asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aurelia_plugin.errors import BackendError, ConfigError
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.sidecar.backend import SidecarBackend

from .asking import image, reasoned, sound, stand_in, told
from .conftest import asked
from .upstream import STUBS, checkout, signatures

FILES = ("7B.pth", "imagebind_w3D.pth", "knn.index", "tokenizer.model")


def place(folder: Path) -> Path:
    for name in FILES:
        (folder / name).touch()
    return folder


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SidecarBackend]:
    weights = place(tmp_path_factory.mktemp("imagebind-llm"))
    with stand_in("imagebind_llm", "imagebind_llm_repo", weights) as opened:
        yield opened


def test_each_medium_has_the_weight_of_one(backend: SidecarBackend, clip_file: Path) -> None:
    reply, seen = told(backend, asked("What rings?", Media.file("video", clip_file)))
    assert seen["prompt"] == "<What rings?>"
    assert seen["Video"] == [[1, 15, 3, 2, 8, 8], 1]
    assert seen["Audio"] == [[1, 3, 1, 4, 4], 1]
    assert (seen["name"], seen["knn"], seen["llama_type"]) == ("7B", True, "7B_chinese")
    assert seen["files"] == sorted(FILES)
    assert (seen["temperature"], seen["top_p"], seen["max_gen_len"]) == (0.0, 1.0, 256)
    evidence = reply.evidence
    assert (evidence.frames, evidence.clips, evidence.dropped) == (10, 1, ())
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (1 + len("<What rings?>"), 3)
    assert reply.model == "ImageBind-LLM 7B (kNN, weights 1 and 1)"
    logits = backend.next_token_logits(asked("Hello"))
    assert logits is not None
    assert logits.shape == (4,)


def test_words_alone_go_with_a_black_picture(backend: SidecarBackend) -> None:
    reply, seen = told(backend, asked("Hello", temperature=0.7, top_p=0.8))
    assert seen["Image"] == [[1, 3, 224, 224], 1]
    assert (seen["temperature"], seen["top_p"]) == (0.7, 0.8)
    assert (reply.evidence.frames, reply.evidence.images) == (0, 0)
    reply, seen = told(backend, asked("Hello", image(), sound(1.0)))
    assert seen["Image"] == [[1, 3, 8, 8], 1]
    assert (reply.evidence.images, reply.evidence.clips) == (1, 1)


def test_text_has_the_room_that_the_reply_leaves(backend: SidecarBackend, clip_file: Path) -> None:
    prompt = reasoned(Media.file("video", clip_file), "What rings?", 4, "listen " * 12)
    reply, seen = told(backend, prompt)  # 512 less 256
    assert "2. listen" in seen["prompt"]
    assert "3. listen" not in seen["prompt"]
    assert len(reply.evidence.dropped) == 2
    assert seen["max_gen_len"] == 256


def test_a_long_question_leaves_less_room_for_the_reply(backend: SidecarBackend) -> None:
    long = "why " * 80
    reply, seen = told(backend, asked(long))
    assert seen["max_gen_len"] == 512 - len(f"s<{long}>")
    reply, seen = told(backend, reasoned(sound(1.0), long, 2, "listen " * 12))
    assert "1. listen" in seen["prompt"]
    assert "2. listen" not in seen["prompt"]
    assert (len(reply.evidence.dropped), seen["max_gen_len"]) == (1, 512 - 1 - len(seen["prompt"]))
    with pytest.raises(BackendError, match="longer than this system takes"):
        told(backend, asked("why " * 112))


def test_a_sound_that_was_not_encoded_is_an_error(backend: SidecarBackend, clip_file: Path) -> None:
    with pytest.raises(BackendError, match="audio"):
        told(backend, asked("deaf", Media.file("video", clip_file)))


def test_upstreams_decoding_and_no_known_vectors(tmp_path: Path) -> None:
    (place(tmp_path) / "knn.index").unlink()
    options = {"decoding": "upstream", "knn": "no"}
    with stand_in("imagebind_llm", "imagebind_llm_repo", tmp_path, **options) as backend:
        reply, seen = told(backend, asked("Hello"))
    assert (seen["temperature"], seen["top_p"], seen["knn"]) == (0.1, 0.75, False)
    assert reply.model == "ImageBind-LLM 7B (no kNN, weights 1 and 1)"


def test_what_upstream_would_download_is_named(tmp_path: Path) -> None:
    (place(tmp_path) / "knn.index").unlink()
    with (
        stand_in("imagebind_llm", "imagebind_llm_repo", tmp_path) as backend,
        pytest.raises(ConfigError, match=r"0 of knn\.index"),
    ):
        told(backend, asked("Hello"))


def test_the_stand_in_has_upstreams_signatures() -> None:
    real = signatures(checkout("imagebind_llm") / "imagebind_LLM" / "llama")
    own = signatures(STUBS / "imagebind_llm_repo" / "imagebind_LLM" / "llama")
    for name in ("LLaMA_adapter.generate", "load", "format_prompt"):
        assert own[name] == real[name]
