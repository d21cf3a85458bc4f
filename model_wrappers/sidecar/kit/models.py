"""What adapters of torch models share. Nothing is imported before it is called."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Iterator, List, Mapping, NamedTuple, Optional

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

__all__ = [
    "FirstLogits",
    "Positions",
    "Reply",
    "counted",
    "first_logits",
    "load_part",
    "prompt_length",
    "reply_to_embeddings",
]


class FirstLogits:
    """The logits of the first token that was generated; None before."""

    def __init__(self) -> None:
        self.values: Optional[Tensor] = None

    def as_list(self) -> Optional[List[float]]:
        """Return them as a list of floats, None if there are none."""
        return None if self.values is None else self.values.tolist()


@contextlib.contextmanager
def first_logits(language_model: Module) -> Iterator[FirstLogits]:
    """Note what the language model says about its first token, whoever calls it.

    Args:
        language_model: the torch module that puts out logits [batch, positions, vocabulary] or
            [batch, vocabulary], as `logits` of its output, first in a tuple, or alone: a whole
            model, also inside peft's wrapper, or its last layer.
    """
    kept = FirstLogits()

    def keep(_module: Module, _inputs: object, output: Any) -> None:
        if kept.values is None:
            logits = output[0] if isinstance(output, tuple) else getattr(output, "logits", output)
            kept.values = logits[0].reshape(-1, logits.shape[-1])[-1].detach().float().cpu()

    if hasattr(language_model, "peft_config"):  # the wrapper's own forward never runs
        language_model = language_model.get_submodule("base_model.model")
    handle = language_model.register_forward_hook(keep)
    try:
        yield kept
    finally:
        handle.remove()


class Positions:
    """How many positions a module has put out."""

    def __init__(self) -> None:
        self.positions = 0


@contextlib.contextmanager
def counted(module: Module) -> Iterator[Positions]:
    """Count the positions that a torch module puts out: all dimensions but the last, multiplied.

    Around a projector these are the positions of the prompt that its medium takes.
    """
    kept = Positions()

    def add(_module: Module, _inputs: object, output: Tensor) -> None:
        kept.positions += output.numel() // output.shape[-1]

    handle = module.register_forward_hook(add)
    try:
        yield kept
    finally:
        handle.remove()


@contextlib.contextmanager
def prompt_length(core: Module) -> Iterator[Positions]:
    """Note how many positions the whole prompt takes, media included.

    Args:
        core: the transformer that is given `inputs_embeds` [batch, positions, width].
    """
    kept = Positions()

    def note(_module: Module, _inputs: object, named: Mapping[str, Any]) -> None:
        embedded = named.get("inputs_embeds")
        if embedded is not None and not kept.positions:
            kept.positions = int(embedded.shape[1])

    handle = core.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield kept
    finally:
        handle.remove()


class Reply(NamedTuple):
    """What a language model answered: token ids, and the logits of the first one."""

    tokens: List[int]
    logits: Optional[List[float]]


def reply_to_embeddings(language_model: Any, prompt: Tensor, **arguments: object) -> Reply:
    """Let a language model of transformers below 4.33 answer a prompt of embeddings.

    Args:
        language_model: also inside peft's wrapper.
        prompt: [1, positions, width].
        arguments: of its `generate`.
    """
    with first_logits(language_model) as logits:
        ids = language_model.generate(inputs_embeds=prompt, **arguments)[0].tolist()
    return Reply(ids[1:], logits.as_list())  # it begins with the mark of the beginning


def load_part(model: Module, path: str) -> None:
    """Load a checkpoint of a part of a model, as training saved it.

    Raises:
        ValueError: if it holds something that the model has not.
    """
    import torch

    state = torch.load(path, map_location="cpu")
    unexpected = model.load_state_dict(state, strict=False).unexpected_keys
    if unexpected or not state:
        some = ", ".join(unexpected[:3]) or "nothing"
        raise ValueError(f"{path} is of another model: it holds {some}")
