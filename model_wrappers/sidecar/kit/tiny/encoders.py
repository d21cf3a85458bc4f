"""Small encoders of pictures, sound and questions for tiny random instances."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import types
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Optional, Tuple
from unittest import mock

from aurelia_plugin.model_wrappers.sidecar.kit.tiny.language import WIDE

if TYPE_CHECKING:
    from torch.nn import Module

__all__ = [
    "beats",
    "beats_checkpoint",
    "bert",
    "eva",
    "imagebind",
    "narrow",
    "resized",
    "siglip",
    "whisper",
]

_SENSES = ("vision", "audio", "text", "depth", "thermal", "imu")
_BEATS = {
    "encoder_layers": 2,
    "encoder_embed_dim": 32,
    "encoder_ffn_embed_dim": 48,
    "encoder_attention_heads": 2,
    "embed_dim": 16,
}


def siglip(folder: str, hidden: int = 32, image: int = 56, patch: int = 14) -> None:
    """Write a SigLIP picture encoder with two layers, and its processor."""
    transformers = importlib.import_module("transformers")
    config = transformers.SiglipVisionConfig(
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=image,
        patch_size=patch,
    )
    transformers.SiglipVisionModel(config).save_pretrained(folder)
    size = {"height": image, "width": image}
    transformers.SiglipImageProcessor(size=size).save_pretrained(folder)


def resized(config: Any, sizes: Mapping[str, object]) -> type:
    """Return a class like `config`, whose constructor sets sizes of its own, with these sizes."""

    class Resized(config):  # type: ignore[misc]
        def __init__(self, *arguments: object, **named: object) -> None:
            super().__init__(*arguments, **named)
            self.__dict__.update(sizes)

    return Resized


def narrow(upstream_class: type, sizes: Mapping[int, int]) -> None:
    """Replace sizes that are written into the methods of a class as numbers.

    Args:
        upstream_class: the class.
        sizes: each number by what takes its place.
    """
    for member in vars(upstream_class).values():
        function = inspect.unwrap(member) if callable(member) else None
        if isinstance(function, types.FunctionType):
            code = function.__code__
            function.__code__ = code.replace(co_consts=_narrowed(code.co_consts, sizes))


def _narrowed(constants: Tuple[object, ...], sizes: Mapping[int, int]) -> Tuple[object, ...]:
    """Replace numbers among constants; a list of numbers is one tuple of them."""
    return tuple(
        _narrowed(one, sizes)
        if isinstance(one, tuple)
        else sizes.get(one, one)
        if isinstance(one, int)
        else one
        for one in constants
    )


@contextlib.contextmanager
def imagebind(
    module: types.ModuleType, width: int = 1024, pair: bool = True
) -> Iterator[Callable[..., Any]]:
    """Let upstream's `imagebind_huge` be an ImageBind with one narrow layer for each sense.

    Args:
        module: upstream's `imagebind_model`.
        width: of the vectors that it puts out.
        pair: whether upstream's function returns the width, too.

    Yields:
        The function that takes its place.
    """
    sizes = {"embed_dim": 32, "num_blocks": 1, "num_heads": 2}
    narrow = {f"{sense}_{name}": size for sense in _SENSES for name, size in sizes.items()}

    def huge(*_: object, **__: object) -> object:
        model = module.ImageBindModel(out_embed_dim=width, **narrow)
        return (model, width) if pair else model

    with mock.patch.object(module, "imagebind_huge", huge):
        yield huge


def eva(model_class: Callable[..., Module], **sizes: float) -> Module:
    """Return an EVA picture encoder with two narrow layers.

    Args:
        model_class: the `VisionTransformer` of upstream's `eva_vit`.
        sizes: in place of those set here.
    """
    form = {"img_size": 224, "patch_size": 14, "embed_dim": 48, "depth": 2, "num_heads": 4}
    fixed = {"mlp_ratio": 2, "qkv_bias": True, "use_mean_pooling": False}
    return model_class(**{**form, **fixed, **sizes})


@contextlib.contextmanager
def bert(folder: str) -> Iterator[None]:
    """Let BERT's vocabulary and configuration be small ones inside, whatever name is loaded.

    Args:
        folder: gets the vocabulary.
    """
    transformers = importlib.import_module("transformers")
    words = os.path.join(folder, "vocab.txt")
    with open(words, "w", encoding="utf-8") as file:
        file.write("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh"]))
    sizes = {"hidden_size": 48, "num_attention_heads": 4, "num_hidden_layers": 2}
    sizes.update(intermediate_size=64, vocab_size=64)

    def tokenizer(*_: object, **named: object) -> object:
        return transformers.BertTokenizer(words, **named)

    def config(*_: object, **__: object) -> object:
        return transformers.BertConfig(**sizes, **WIDE)

    words_of = mock.patch.object(transformers.BertTokenizer, "from_pretrained", tokenizer)
    with words_of, mock.patch.object(transformers.BertConfig, "from_pretrained", config):
        yield


def beats(config_class: type, **sizes: object) -> type:
    """Return a class like upstream's `BEATsConfig`, with two narrow layers.

    Args:
        config_class: upstream's own.
        sizes: in place of those set here, or beside them.
    """
    return resized(config_class, {**_BEATS, **sizes})


def beats_checkpoint(path: str, module: types.ModuleType) -> None:
    """Write a BEATs with two narrow layers as its authors publish theirs.

    Args:
        path: of the file.
        module: upstream's, with `BEATs` and `BEATsConfig`.
    """
    torch = importlib.import_module("torch")
    config = beats(module.BEATsConfig, input_patch_size=16)()
    torch.save({"cfg": vars(config), "model": module.BEATs(config).state_dict()}, path)


def whisper(model_class: Optional[Callable[..., Module]] = None) -> Module:
    """Return a Whisper with two narrow layers in its encoder.

    Args:
        model_class: upstream's own; by default that of transformers.
    """
    transformers = importlib.import_module("transformers")
    config = transformers.WhisperConfig(
        d_model=32,
        encoder_layers=2,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=48,
        decoder_ffn_dim=48,
    )
    return (model_class or transformers.WhisperModel)(config)
