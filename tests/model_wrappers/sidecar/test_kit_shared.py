"""What the kit shares between systems: ImageBind's excerpts, attention, tiny parts, checkpoints."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aurelia_plugin.model_wrappers.sidecar.kit import (
    TAG,
    Options,
    RequestError,
    Sound,
    Text,
    Used,
    placed,
)
from aurelia_plugin.model_wrappers.sidecar.kit import tiny as parts
from aurelia_plugin.model_wrappers.sidecar.kit.forms import Block
from aurelia_plugin.model_wrappers.sidecar.kit.imagebind import frames_in, hear_excerpts
from aurelia_plugin.model_wrappers.sidecar.kit.models import (
    first_logits,
    load_part,
    reply_to_embeddings,
)
from aurelia_plugin.model_wrappers.sidecar.kit.repairs import attention_without_flash
from aurelia_plugin.model_wrappers.sidecar.kit.watching import calls


@given(st.floats(0.05, 500.0), st.integers(1, 10))
def test_excerpts_hear_what_their_windows_cover(seconds: float, count: int) -> None:
    used = Used()
    hear_excerpts(used, seconds, "sound", count)
    starts = [n * max(seconds - 2, 0) / count for n in range(count)]  # upstream's sampler
    grid = range(int(min(seconds, 2.0 * count + seconds) * 1000))
    covered = sum(any(start <= ms / 1000 < start + 2 for start in starts) for ms in grid) / 1000
    assert used.sound_seconds == pytest.approx(covered, abs=0.02 + 0.002 * count)
    assert bool(used.dropped) == (used.sound_seconds < seconds - 0.5)
    assert used.clips == 1


def test_frames_of_a_video_are_not_counted_for_each_crop() -> None:
    assert frames_in(torch.zeros(1, 15, 3, 2, 8, 8)) == 10


@pytest.mark.parametrize(("queries", "keys"), [(5, 5), (1, 6), (3, 7)])
@pytest.mark.parametrize("causal", [True, False])
def test_attention_without_flash_is_attention(
    queries: int, keys: int, causal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "flash_attn", raising=False)
    attention_without_flash()
    attend = sys.modules["flash_attn"].flash_attn_func
    torch.manual_seed(0)
    q = torch.randn(2, queries, 4, 8)
    k, v = torch.randn(2, 2, keys, 4, 8)
    scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / 8**0.5
    if causal:
        later = torch.arange(keys)[None] > torch.arange(queries)[:, None] + keys - queries
        scores = scores.masked_fill(later, float("-inf"))
    expected = torch.einsum("bhqk,bkhd->bqhd", scores.softmax(-1), v)
    assert torch.allclose(attend(q, k, v, causal=causal), expected, atol=1e-5)
    monkeypatch.delitem(sys.modules, "flash_attn", raising=False)


class Head(torch.nn.Module):
    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form

    def forward(self, logits: torch.Tensor) -> object:
        if self.form == "tensor":
            return logits[:, -1]
        return (logits,) if self.form == "tuple" else SimpleNamespace(logits=logits)


@pytest.mark.parametrize("form", ["tensor", "tuple", "object"])
def test_first_logits_whatever_a_model_puts_out(form: str) -> None:
    logits = torch.arange(12.0).reshape(1, 3, 4)
    head = Head(form)
    with first_logits(head) as kept:
        head(logits)
        head(logits + 1)
    assert kept.as_list() == [8.0, 9.0, 10.0, 11.0]


def test_first_logits_inside_pefts_wrapper() -> None:
    inner = Head("object")
    wrapper: Any = torch.nn.Module()
    wrapper.peft_config = {}
    wrapper.base_model = torch.nn.Module()
    wrapper.base_model.model = inner

    def generate(inputs_embeds: torch.Tensor, **_: object) -> torch.Tensor:
        inner(inputs_embeds)
        return torch.tensor([[1, 7, 8]])

    wrapper.generate = generate
    reply = reply_to_embeddings(wrapper, torch.zeros(1, 2, 4))
    assert (reply.tokens, reply.logits) == ([7, 8], [0.0] * 4)


def test_every_call_of_a_module_is_noted() -> None:
    layer = torch.nn.Identity()
    with calls(layer) as noted:
        layer(torch.zeros(1))
        layer(torch.ones(1))
    layer(torch.ones(1))
    assert [(float(call.given), float(call.made)) for call in noted] == [(0.0, 0.0), (1.0, 1.0)]


def test_a_part_of_a_model_is_loaded_or_refused(tmp_path: Path) -> None:
    model, path = torch.nn.Linear(2, 2), tmp_path / "part.pt"
    torch.save({"bias": torch.ones(2)}, path)
    load_part(model, str(path))
    assert model.bias.tolist() == [1.0, 1.0]
    for wrong, what in (
        ({"bias": torch.ones(2), "other": torch.ones(1)}, "other"),
        ({}, "nothing"),
    ):
        torch.save(wrong, path)
        with pytest.raises(ValueError, match=f"of another model: it holds {what}"):
            load_part(model, str(path))


def test_parts_of_the_weights_are_found_or_named(tmp_path: Path) -> None:
    options = Options("", str(tmp_path), "cpu")
    with pytest.raises(FileNotFoundError, match=r"0 of \*\.pth; set head="):
        options.part("*.pth", "head")
    (tmp_path / "a.pth").touch()
    assert options.part("*.pth", "head") == str(tmp_path / "a.pth")
    assert options._replace(more={"head": "/b.pth"}).part("*.pth", "head") == "/b.pth"
    (tmp_path / "b.pth").touch()
    with pytest.raises(FileNotFoundError, match=r"2 of \*\.pth"):
        options.part("*.pth", "head")
    (tmp_path / "vicuna").mkdir()
    (tmp_path / "vicuna" / "config.json").touch()
    assert options.language_model() == str(tmp_path / "vicuna")


def test_media_are_placed_among_the_words() -> None:
    blocks: list[Block] = [Text("user", "A:"), Sound("user", "a.wav", 1.0), Text("user", "Which?")]
    assert [block.text for block in placed(blocks)] == ["A:", TAG, "Which?"]
    with pytest.raises(RequestError, match=r"U\+E000"):
        placed([Text("user", TAG)])


def test_sizes_written_into_a_class_are_narrowed() -> None:
    class Wide:
        def __init__(self) -> None:
            self.sizes = [4096, 4096 * 4, 3]

        @torch.inference_mode()
        def shape(self) -> tuple[int, bool]:
            return torch.zeros(4096).shape[0], True

    parts.narrow(Wide, {4096: 64, 16384: 256})
    assert Wide().sizes == [64, 256, 3]
    assert Wide().shape() == (64, True)


def test_a_narrow_imagebind_stands_in_for_the_real_one() -> None:
    module = ModuleType("imagebind_model")
    module.ImageBindModel = SimpleNamespace  # type: ignore[attr-defined]
    module.imagebind_huge = len  # type: ignore[attr-defined]
    with parts.imagebind(module, 32):
        model, width = module.imagebind_huge(pretrained=True)
    assert (width, model.out_embed_dim, model.audio_embed_dim, model.vision_num_heads) == (
        32,
        32,
        32,
        2,
    )
    with parts.imagebind(module, pair=False):
        assert module.imagebind_huge().out_embed_dim == 1024
    assert module.imagebind_huge is len


def test_one_token_for_each_word(tmp_path: Path) -> None:
    tokenizer = parts.word_tokenizer(str(tmp_path))
    ids = tokenizer("A dog unheard").input_ids
    assert len(ids) == 4
    assert ids[2:] == [2, 1]  # unknown, end
    assert tokenizer.decode(ids[:2]) == "A dog"
