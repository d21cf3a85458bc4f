"""The lmms-eval model: instances in, answers out, every arm through one path."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

from lmms_eval.api.instance import GenerationResult, Instance, TokenCounts
from lmms_eval.api.model import lmms
from lmms_eval.models.model_utils.usage_metrics import log_usage
from loguru import logger as eval_logger
from tqdm import tqdm

from aurelia_plugin.calling.ledger import TARGET_ROLE
from aurelia_plugin.errors import StoreError
from aurelia_plugin.model_wrappers.harness.contexts import refuse_chat_template
from aurelia_plugin.model_wrappers.harness.instances import InstanceSource, is_padding
from aurelia_plugin.model_wrappers.harness.processes import gather_lists, is_distributed
from aurelia_plugin.model_wrappers.run.run import Run
from aurelia_plugin.running.outcomes import RunOutcome
from aurelia_plugin.running.pipeline import Answer

__all__ = ["Aurelia"]

T = TypeVar("T")

_GRACE_S = 10.0
"""Seconds that an interrupted run may take to end."""


class Aurelia(lmms):
    """An audio-visual LLM behind AURELIA.

    Args:
        batch_size: requests that a local target runs together (from `--batch_size`).
        max_batch_size: not used; the harness passes it.
        device: where a local target runs (from `--device`).
        settings: the fields of `AureliaSettings`; any other key is an option of the target's
            backend. From Python, `target`, `reasoner`, `summarizer` and `evaluator` may also be
            `Backend` objects.

    Raises:
        ConfigError: if a setting is unknown or unfit, naming it and the fix.
    """

    is_simple = False
    default_target: str | None = None

    def __init__(
        self,
        batch_size: int | str | None = None,
        max_batch_size: int | str | None = None,
        device: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__()
        if is_distributed():
            from accelerate import Accelerator

            self.accelerator = Accelerator()
            self._rank = self.accelerator.process_index
            self._world_size = self.accelerator.num_processes
        if self.default_target is not None:
            settings.setdefault("target", self.default_target)
        self.run = Run(
            settings,
            batch_size=batch_size,
            device=device,
            gather=gather_lists,
            process=(self.rank, self.world_size),
        )
        self._started = time.time()
        self._unread: set[str] = set()
        for advice in self.run.advice():
            self._say(advice)

    @property
    def device(self) -> Any:
        """The device on which the harness's own tensors of this process live."""
        import torch

        accelerator = getattr(self, "accelerator", None)
        return accelerator.device if accelerator is not None else torch.device("cpu")

    def generate_until(self, requests: Sequence[Instance]) -> list[GenerationResult]:
        """Answer every request, in order; a question that failed gets an empty answer.

        Raises:
            AureliaError: for a setting or folder that stops the whole run.
        """
        real = [index for index, request in enumerate(requests) if not is_padding(request)]
        sources = [self._source(requests[index]) for index in real]
        with _Bars(len(sources), self.run.uses_agents, shown=self.rank == 0) as bars:
            answers = _in_own_loop(lambda: self.run.answer(sources, bars))
        results = [GenerationResult("")] * len(requests)
        for index, answer in zip(real, answers, strict=True):
            results[index] = _result(answer)
        return results

    @property
    def chat_template(self) -> NoReturn:
        """What the harness asks for with `--apply_chat_template`, which is refused.

        Raises:
            ConfigError: always.
        """
        refuse_chat_template()

    apply_chat_template = chat_template

    def _source(self, instance: Instance) -> InstanceSource:
        source = InstanceSource(
            instance, self.task_dict, seed=self.run.settings.seed, field=self.run.item_field
        )
        unread = source.unread_settings - self._unread
        if unread:
            self._unread |= unread
            self._say(f"Generation settings not used by any backend: {', '.join(sorted(unread))}.")
        return source

    def clean(self) -> None:
        """Write and show the run's summary, then release the models. The harness calls this."""
        outcomes = gather_lists([self.run.outcome])
        if self.rank == 0:
            whole = outcomes[0].merged(outcomes[1:])
            if whole.items:
                self._summarize(whole)
        _in_own_loop(self.run.close)
        super().clean()

    def _summarize(self, outcome: RunOutcome) -> None:
        for role, made in outcome.ledger.by(lambda purpose: purpose.role).items():
            log_usage(
                next(iter(made.models), role),
                input_tokens=made.usage.input_tokens,
                output_tokens=made.usage.output_tokens,
                source="model" if role == TARGET_ROLE else role,
            )
        summary = self.run.summary(outcome, seconds=time.time() - self._started)
        try:
            place = self.run.store.put_run(self.run.record_name(self._started), summary.record)
            self.run.store.put_items(place, (item.record() for item in outcome.items))
            path = str(place)
        except StoreError as error:  # the answers are worth more than the record
            path = f"not written: {error}"
        eval_logger.info(summary.text(path))
        for warning in summary.warnings():
            eval_logger.warning(warning)

    def loglikelihood(self, requests: Sequence[Instance]) -> NoReturn:
        """Not offered.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "AURELIA puts reasoning in front of a question and reads the generated answer; "
            "loglikelihood tasks have none. Use the task's generate_until variant."
        )

    def generate_until_multi_round(self, requests: Sequence[Instance]) -> NoReturn:
        """Not offered.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            "AURELIA reasons about one question over one clip; multi-round tasks change the "
            "question between rounds. Use a generate_until task."
        )

    def _say(self, text: str) -> None:
        if self.rank == 0:
            eval_logger.info(text)


def __getattr__(name: str) -> type[Aurelia]:
    """Return the class of one catalogue row, `Aurelia_<id>`: the same model, with its target set.

    The harness looks a model's class up by name, and tells a class nothing of the name by which
    it was asked for.
    """
    prefix, _, target = name.partition("_")
    if prefix != "Aurelia" or not target:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = type(name, (Aurelia,), {"default_target": target, "__module__": __name__})
    globals()[name] = made
    return made


class _Bars:
    """Two progress bars: questions reasoned about, questions answered."""

    def __init__(self, total: int, agents: bool, *, shown: bool) -> None:
        self._bars = [
            tqdm(total=total, desc="agents", disable=not (shown and agents), position=0),
            tqdm(total=total, desc="target", disable=not shown, position=1 if agents else 0),
        ]

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, *_: object) -> None:
        for bar in self._bars:
            bar.close()

    def reasoned(self) -> None:
        self._bars[0].update()

    def answered(self) -> None:
        self._bars[1].update()


def _result(answer: Answer) -> GenerationResult:
    if answer.usage is None:
        return GenerationResult(answer.text)
    return GenerationResult(
        answer.text,
        TokenCounts(
            input_tokens=answer.usage.input_tokens, output_tokens=answer.usage.output_tokens
        ),
    )


def _in_own_loop(work: Callable[[], Any]) -> Any:
    """Run async work to its end in a thread of its own.

    The caller may itself live in a running event loop (the harness's servers), where
    `asyncio.run` is refused. When the caller is interrupted (Ctrl-C), the work is cancelled and
    may end what it has begun before the interruption goes on.
    """
    box: dict[str, Any] = {}

    async def cancellable() -> Any:
        box["loop"], box["task"] = asyncio.get_running_loop(), asyncio.current_task()
        return await work()

    def body() -> None:
        try:
            box["result"] = asyncio.run(cancellable())
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, whole
            box["error"] = error
        finally:
            done.set()

    done = threading.Event()
    try:
        threading.Thread(target=body, name="aurelia", daemon=True).start()
        done.wait()  # not `join`: interrupted, that takes the thread for ended
    except KeyboardInterrupt:
        if "task" in box:
            with contextlib.suppress(RuntimeError):  # the loop has just ended by itself
                box["loop"].call_soon_threadsafe(box["task"].cancel)
            done.wait(_GRACE_S)
        raise
    if "error" in box:
        raise box["error"]
    return box["result"]
