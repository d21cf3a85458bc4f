"""What enters an upstream model, and upstream's fixed settings, seen and changed from outside."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Type
from unittest import mock

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module, ModuleDict

__all__ = [
    "Call",
    "Entered",
    "calls",
    "checkpoints_that_fit",
    "first_input",
    "generating_with",
    "positions",
    "rows_within",
]


@contextlib.contextmanager
def checkpoints_that_fit(model_class: Type[Module]) -> Iterator[None]:
    """Refuse a checkpoint of another model where upstream loads without a check of the keys.

    Args:
        model_class: the torch class whose `load_state_dict` upstream calls with `strict=False`.

    Raises:
        ValueError: inside, if none of a checkpoint's tensors belongs to the model.
    """
    original = model_class.load_state_dict

    def load_state_dict(
        self: Module, state_dict: Mapping[str, object], *given: Any, **named: Any
    ) -> object:
        if not set(state_dict) & set(self.state_dict()):
            some = ", ".join(list(state_dict)[:3]) or "nothing"
            raise ValueError(f"a checkpoint of another model: it holds {some}")
        return original(self, state_dict, *given, **named)

    with mock.patch.object(model_class, "load_state_dict", load_state_dict):
        yield


class Entered:
    """What went into a language model or an encoder when it was called, and, where it is a
    language model, the ids that it generated; None before."""

    def __init__(self) -> None:
        self.value: Any = None
        self.made: Any = None


@contextlib.contextmanager
def first_input(module: Module) -> Iterator[Entered]:
    """Note the first argument of a torch module's last call, whoever calls it."""
    entered = Entered()

    def keep(_module: Module, given: Any, _made: object) -> None:
        entered.value = given[0]

    handle = module.register_forward_hook(keep)
    try:
        yield entered
    finally:
        handle.remove()


class Call(NamedTuple):
    """One call of a module: its first argument, and what it put out."""

    given: Any  # a tensor, or whatever upstream hands over
    made: Any


@contextlib.contextmanager
def calls(module: Module) -> Iterator[List[Call]]:
    """Note every call of a torch module, in order, whoever calls it."""
    noted: List[Call] = []

    def note(_module: Module, given: Any, made: object) -> None:
        noted.append(Call(given[0], made))

    handle = module.register_forward_hook(note)
    try:
        yield noted
    finally:
        handle.remove()


@contextlib.contextmanager
def generating_with(
    language_model: Module, arguments: Mapping[str, object], instead_of: Iterable[str]
) -> Iterator[Entered]:
    """Let upstream generate with other settings than those that it fixes.

    Args:
        language_model: has transformers' `generate`, which upstream calls with keywords, but for
            ids.
        arguments: for `generate`, in place of upstream's own of the same names.
        instead_of: names of upstream's own arguments that are left out anyway.

    Yields:
        What notes the embeddings [batch, positions, width] that upstream generates from.
    """
    entered = Entered()
    original: Any = language_model.generate

    def generate(*ids: Tensor, **given: object) -> object:
        entered.value = given.get("inputs_embeds")
        kept = {key: value for key, value in given.items() if key not in instead_of}
        entered.made = original(*ids, **{**kept, **arguments})
        return entered.made

    with mock.patch.object(language_model, "generate", generate):
        yield entered


@contextlib.contextmanager
def positions(embedders: ModuleDict) -> Iterator[Dict[str, int]]:
    """Count the positions of each modality as they come out of its embedder.

    Args:
        embedders: a torch `ModuleDict` whose modules return something with `mask` [batch,
            positions], above 0 where a position is attended to.
    """
    counts: Dict[str, int] = {}
    with contextlib.ExitStack() as hooks:
        for name, module in embedders.items():

            def count(_module: Module, _given: object, made: Any, name: str = name) -> None:
                counts[name] = int((made.mask > 0).sum())

            hooks.callback(module.register_forward_hook(count).remove)
        yield counts


def rows_within(prompt: Tensor, vectors: Tensor) -> int:
    """Return how many positions of a prompt hold one of some vectors, unchanged.

    Args:
        prompt: embeddings [positions, width] that enter a language model.
        vectors: [count, width], what should be among them.
    """
    found = prompt.new_zeros(len(prompt)).bool()
    for vector in vectors.to(prompt.dtype):  # one by one: all at once would take a gigabyte
        found |= (prompt == vector).all(dim=-1)
    return int(found.sum())
