"""The tasks' answer to `--num_fewshot`: none of lmms-eval's few-shot examples has a clip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from lmms_eval.api.samplers import SAMPLER_REGISTRY, ContextSampler

from aurelia_plugin.errors import ConfigError

__all__ = ["CONFIG"]

_NAME = "avreasonbench_without_examples"


class _NoExamples(ContextSampler):  # type: ignore[misc]  # the harness is not typed
    """Refuses. Without it `--num_fewshot` ends in the harness's AttributeError, and a task with a
    common sampler would be answered without examples by every chat model, in a table that says
    how many there were."""

    def get_context(self, doc: Mapping[str, object], num_fewshot: int) -> NoReturn:
        """Refuse.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(
            f"--num_fewshot {num_fewshot}: lmms-eval puts the words of examples in front of a "
            "question, without their clips, and no chat model gets even these; AVReasonBench is "
            "asked without examples.",
            "Run without --num_fewshot.",
        )


SAMPLER_REGISTRY[_NAME] = _NoExamples
CONFIG = {"sampler": _NAME}
"""A task's `fewshot_config`: the harness looks samplers up by name in its registry."""
