"""What lmms-eval puts in front of a task's own text: a system instruction, few-shot examples.

`--system_instruction` and `--num_fewshot` change only the context, a text that the harness makes of
instruction, the task's description, examples and question (`ConfigurableTask.fewshot_context`).
The harness's own chat models ask with `doc_to_messages` instead and never see them, although its
results say that both were set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn, Protocol

from aurelia_plugin.errors import ConfigError

__all__ = ["ContextTask", "refuse_chat_template", "require_no_examples", "system_instruction"]


class _Config(Protocol):
    description: str | None
    doc_to_messages: object
    doc_to_visual: object
    num_fewshot: int | None
    task: str | None


class ContextTask(Protocol):
    """A task of the harness, as far as its contexts go."""

    config: _Config

    def fewshot_context(self, doc: Mapping[str, object], num_fewshot: int) -> object:
        """Return the context without a system instruction."""


def refuse_chat_template() -> NoReturn:
    """Refuse `--apply_chat_template`.

    Raises:
        ConfigError: always.
    """
    raise ConfigError(
        "--apply_chat_template: lmms-eval makes one text of a question's messages, in which "
        "no clip has a place (0.7.3 ends in an AttributeError for every model). Here every message "
        "goes through the target's own chat template in any case.",
        "Run without --apply_chat_template.",
    )


def require_no_examples(task: ContextTask) -> None:
    """Check that a task with media is asked without few-shot examples.

    Raises:
        ConfigError: it is asked with them: what the harness makes of them has no clips.
    """
    config = task.config
    has_media = config.doc_to_visual is not None or config.doc_to_messages is not None
    if has_media and config.num_fewshot:
        raise ConfigError(
            f"{config.task} is asked with num_fewshot={config.num_fewshot}: lmms-eval's examples "
            "are words without their clips, and a question here is about one clip.",
            "Run without --num_fewshot.",
        )


def system_instruction(context: str, task: ContextTask, doc: Mapping[str, object]) -> str:
    """Return what `--system_instruction` put in front of a task's context, "" if nothing.

    The task's description, to which the harness joins it, is not part of it. Of a task whose text
    differs every time that it is made the instruction cannot be told.
    """
    own = task.fewshot_context(doc, 0)
    if not isinstance(own, str) or not context.endswith(own):
        return ""
    return context[: len(context) - len(own)].strip()
