"""What adapters of torch models share. Nothing is imported before it is called."""

from __future__ import annotations

import contextlib
from typing import Any, Iterator

__all__ = ["FirstLogits", "Positions", "counted", "first_logits", "prompt_length"]


class FirstLogits:
    """The logits of the first token that was generated; None before."""

    def __init__(self) -> None:
        self.values: Any = None

    def as_list(self) -> Any:
        """Return them as a list of floats, None if there are none."""
        return None if self.values is None else self.values.tolist()


@contextlib.contextmanager
def first_logits(language_model: Any) -> Iterator[FirstLogits]:
    """Note what the language model says about its first token, whoever calls it.

    Args:
        language_model: the torch module whose output has `logits` [batch, positions, vocabulary],
            or is a tuple that begins with them.
    """
    kept = FirstLogits()

    def keep(_module: Any, _inputs: Any, output: Any) -> None:
        if kept.values is None:
            logits = getattr(output, "logits", None)
            kept.values = (output[0] if logits is None else logits)[0, -1].detach().float().cpu()

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
def counted(module: Any) -> Iterator[Positions]:
    """Count the positions that a torch module puts out: all dimensions but the last, multiplied.

    Around a projector these are the positions of the prompt that its medium takes.
    """
    kept = Positions()

    def add(_module: Any, _inputs: Any, output: Any) -> None:
        kept.positions += output.numel() // output.shape[-1]

    handle = module.register_forward_hook(add)
    try:
        yield kept
    finally:
        handle.remove()


@contextlib.contextmanager
def prompt_length(core: Any) -> Iterator[Positions]:
    """Note how many positions the whole prompt takes, media included.

    Args:
        core: the transformer that is given `inputs_embeds` [batch, positions, width].
    """
    kept = Positions()

    def note(_module: Any, inputs: Any, named: Any) -> None:
        embedded = named.get("inputs_embeds")
        if embedded is not None and not kept.positions:
            kept.positions = int(embedded.shape[1])

    handle = core.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield kept
    finally:
        handle.remove()
