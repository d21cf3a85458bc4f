"""From the harness's instances to questions: the only code that knows their form."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lmms_eval.api.instance import Instance

from aurelia_plugin.benchmark.vote_values import reader_of
from aurelia_plugin.calling.backend import Generation, Message, Part, Text
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.media.content import coerce
from aurelia_plugin.model_wrappers.harness.contexts import (
    ContextTask,
    require_no_examples,
    system_instruction,
)
from aurelia_plugin.reasoning.question import Question

if TYPE_CHECKING:
    from lmms_eval.api.task import Task

__all__ = ["InstanceSource", "Request", "is_padding", "read_generation", "read_request"]

_LIMITS = ("max_new_tokens", "max_gen_toks", "max_tokens")
_READ_KEYS = frozenset(
    {
        "do_sample",
        "max_gen_toks",
        "max_new_tokens",
        "max_tokens",
        "num_beams",
        "temperature",
        "top_k",
        "top_p",
        "until",
    }
)


class Request(NamedTuple):
    """The arguments of a chat instance (lmms-eval 0.7.3, `ConfigurableMessagesTask`)."""

    context: str
    doc_to_messages: Callable[..., Any]
    generation: Mapping[str, Any]
    doc_id: int
    task: str
    split: str


def read_request(instance: Instance) -> Request:
    """Return an instance's arguments by name.

    Raises:
        ConfigError: if the harness runs with `--cache_requests`, or its form has changed.
    """
    arguments = instance.args
    if len(arguments) == 6 and arguments[1] is None:
        raise ConfigError(
            "--cache_requests is on: the harness then hands over requests without the function "
            "that makes their messages, so no question and no clip can be read from them.",
            "Run without --cache_requests; traces and agent calls are kept anyway.",
        )
    if len(arguments) != 6 or not callable(arguments[1]) or not isinstance(arguments[2], dict):
        raise ConfigError(
            f"{instance.task_name}: this version of lmms-eval hands over requests in another form "
            f"({[type(argument).__name__ for argument in arguments]}).",
            "Install a version of lmms-eval that this plugin was tested with (0.7.3).",
        )
    return Request(*arguments)


def is_padding(instance: Instance) -> bool:
    """Whether the instance only fills up a process's share; its answer is thrown away."""
    return bool((instance.metadata or {}).get("__padding_only__"))


def read_generation(settings: Mapping[str, Any], seed: int) -> tuple[Generation, set[str]]:
    """Return a task's generation settings, and the keys that are not understood.

    A stop string of nothing but white space is left out: the harness adds a blank line by default
    to every task, the models that it ships ignore it, and obeying it would cut every answer that
    has paragraphs.

    Raises:
        ConfigError: a setting that has to be a number is none.
    """
    temperature, top_p = (_number(settings, name) for name in ("temperature", "top_p"))
    top_k: Any = _number(settings, "top_k")
    sampled = bool(settings.get("do_sample", (temperature or 0) > 0))
    until = settings.get("until") or []
    limits = (_number(settings, name) for name in _LIMITS)
    limit = next((limit for limit in limits if limit), 512)
    generation = Generation(
        max_new_tokens=int(limit),
        temperature=float(temperature or 1.0) if sampled else 0.0,
        top_p=top_p if sampled else None,
        top_k=top_k if sampled else None,
        num_beams=int(_number(settings, "num_beams") or 1),
        until=tuple(s for s in ([until] if isinstance(until, str) else until) if s.strip()),
        seed=seed,
    )
    return generation, set(settings) - _READ_KEYS


def _number(settings: Mapping[str, Any], name: str) -> float | None:
    value = settings.get(name)
    try:
        if value is None or math.isfinite(float(value)):
            return float(value) if isinstance(value, str) else value
    except (TypeError, ValueError, OverflowError):
        pass
    raise ConfigError(
        f"generation_kwargs: {name}={value!r} is no number.",
        "Correct it in the task's YAML or in --gen_kwargs.",
    )


class InstanceSource:
    """Makes the question of one instance when its turn comes.

    Args:
        task_dict: the harness's data sets, by task and split.
        seed: for targets that sample.
        field: a field of the item to take along (`precomputed=field:NAME`).
    """

    def __init__(
        self,
        instance: Instance,
        task_dict: Mapping[str, Mapping[str, Any]],
        *,
        seed: int = 0,
        field: str | None = None,
    ) -> None:
        self.request = read_request(instance)
        task = _task_of(self.request)
        if task is not None:
            require_no_examples(task)
        self._rows = task_dict[self.request.task][self.request.split]
        self._seed = seed
        self._field = field
        self.generation, self.unread_settings = read_generation(self.request.generation, seed)

    @property
    def id(self) -> str:
        """Task, split and position, unique within a run."""
        return f"{self.request.task}/{self.request.split}/{self.request.doc_id}"

    @property
    def category(self) -> str:
        """The item's category, or the task's name where it has none."""
        rows = self._rows
        names = getattr(rows, "column_names", None)
        if isinstance(names, list) and "category" in names:
            rows = rows.select_columns(["category"])  # without decoding the item's media
        elif names is not None:
            return self.request.task
        value = rows[self.request.doc_id].get("category")
        return str(value) if value else self.request.task

    def __call__(self) -> Question:
        """Make the question.

        Raises:
            MediaError: if a medium is missing or has no usable form.
        """
        doc = self._rows[self.request.doc_id]
        return Question(
            id=self.id,
            messages=tuple(_messages(self.request, doc)),
            generation=self.generation,
            category=self.category,
            fields={self._field: doc.get(self._field)} if self._field else None,
            reader=reader_of(doc),
            column=self.request.task,
        )


def _task_of(request: Request) -> Task:
    """Return the harness's task behind a request, None where messages come from elsewhere."""
    task = getattr(request.doc_to_messages, "__self__", None)
    return task if getattr(task, "config", None) is not None else None


def _messages(request: Request, doc: Any) -> list[Message]:
    task = _task_of(request)
    if task is None:
        return _given_messages(request, doc)
    config = task.config
    if config.doc_to_messages is None and config.doc_to_visual is None:
        # Its context holds the instruction and examples, too, as the harness's models get them.
        return [Message("user", (Text(request.context),))]
    if config.doc_to_messages is None:
        messages = [_own_turn(task, doc)]
    else:
        messages = _given_messages(request, doc)
    return _instructed(messages, request, task, doc)


def _given_messages(request: Request, doc: Any) -> list[Message]:
    messages = []
    for message in request.doc_to_messages(doc):
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        messages.append(Message(message["role"], tuple(_part(block) for block in blocks)))
    return messages


def _own_turn(task: Task, doc: object) -> Message:
    """Return the user's turn of a task that gives visuals and text instead of messages.

    The harness would build the same turn, but it guesses media types from labels and file names
    (a decoded sound becomes "video") and raises on decoder objects.
    """
    visuals = [coerce(visual) for visual in task.doc_to_visual(doc) or []]
    return Message("user", (*visuals, Text(task.doc_to_text(doc))))


def _instructed(
    messages: list[Message], request: Request, task: ContextTask, doc: Any
) -> list[Message]:
    """Return messages under `--system_instruction`: before a task's own system message."""
    instruction = system_instruction(request.context, task, doc)
    if not instruction:
        return messages
    first = messages[0]
    if first.role != "system":
        return [Message("system", (Text(instruction),)), *messages]
    return [Message("system", (Text(f"{instruction}\n\n"), *first.parts)), *messages[1:]]


def _part(block: Mapping[str, Any]) -> Part:
    kind = block["type"]
    if kind == "text":
        return Text(block["text"])
    value = block["url"] if "url" in block else block.get(kind)
    return coerce(value, label=kind, start=block.get("start_time"), end=block.get("end_time"))
