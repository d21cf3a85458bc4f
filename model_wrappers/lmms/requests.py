"""Prompts as requests of the harness: the instances that its models are given."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aurelia_plugin.calling.backend import Generation
from aurelia_plugin.model_wrappers.lmms.forms import Payload

if TYPE_CHECKING:
    from lmms_eval.api.instance import Instance

__all__ = ["instance", "payload_to_messages", "payload_to_visual", "task_dict"]

_TASK, _SPLIT = "__aurelia__", "x"


def task_dict(payloads: Sequence[Payload]) -> dict[str, dict[str, list[Payload]]]:
    """Return the data sets of a task whose documents are the payloads."""
    return {_TASK: {_SPLIT: list(payloads)}}


def instance(payload: Payload, generation: Generation, index: int, *, simple: bool) -> Instance:
    """Return the request for one payload, which is document `index` of `task_dict`.

    Args:
        simple: whether the model has the simple interface.
    """
    from lmms_eval.api.instance import Instance

    return Instance(
        request_type="generate_until",
        arguments=_arguments(payload, generation, index, simple=simple),
        idx=0,
        metadata={"task": _TASK, "doc_id": index, "repeats": 1},
    )


def payload_to_messages(payload: Payload) -> list[dict[str, Any]]:
    """Return the messages of a payload: the `doc_to_messages` of the inner task."""
    return copy.deepcopy(payload.messages)


def payload_to_visual(payload: Payload) -> list[object]:
    """Return the media of a payload: the `doc_to_visual` of the inner task."""
    return list(payload.visuals)


def _arguments(
    payload: Payload, generation: Generation, index: int, *, simple: bool
) -> tuple[object, ...]:
    settings = _settings(generation)
    where = (index, _TASK, _SPLIT)
    if simple:
        return (payload.text, settings, payload_to_visual, *where)
    return (payload.text, payload_to_messages, settings, *where)


def _settings(generation: Generation) -> dict[str, object]:
    """Return generation settings of this request alone: wrappers change what they are given."""
    settings: dict[str, object] = {
        "max_new_tokens": generation.max_new_tokens,
        "temperature": generation.temperature,
        "do_sample": generation.temperature > 0,
        "num_beams": generation.num_beams,
    }
    if generation.top_p is not None:
        settings["top_p"] = generation.top_p
    if generation.until:
        settings["until"] = list(generation.until)
    return settings
