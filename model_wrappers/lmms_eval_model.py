"""Any model that lmms-eval brings, behind the backend protocol.

The model gets a task dictionary of its own, all gathered requests in one call, and batches of one:
so nothing of one request can leak into another, whatever the wrapper does inside a batch.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

from pydantic import Field, Json

from aurelia_plugin.backend import Generation, Prompt, Reply, Usage, cut_at
from aurelia_plugin.digests import digest_of
from aurelia_plugin.errors import BackendError, ConfigError
from aurelia_plugin.model_wrappers.batching import MicroBatcher
from aurelia_plugin.model_wrappers.lmms_forms import Form, Payload, form_of, pack
from aurelia_plugin.model_wrappers.options import BackendOptions

__all__ = [
    "OPTIONS",
    "LmmsBackend",
    "LmmsOptions",
    "open_backend",
    "payload_to_messages",
    "payload_to_visual",
]

_TASK, _SPLIT = "__aurelia__", "x"

_FAILURES = ("[LMMS_EVAL_REQUEST_FAILED", "[LMMS_EVAL_BUDGET_EXCEEDED", "[SAFETY_BLOCKED")
"""How the bundled wrappers begin what they return in place of an answer."""


class LmmsOptions(BackendOptions):
    """Options of `lmms:MODEL`."""

    model_args: Json[dict[str, Any]] = Field(default_factory=dict)
    """Arguments of the wrapper's constructor, as a JSON object."""
    device: str | None = None
    """Passed to the wrapper; by default it chooses itself."""
    gather: int = Field(16, ge=1)
    """Requests handed over in one call; the wrapper runs them one by one."""


OPTIONS = LmmsOptions


class _Job(NamedTuple):
    payload: Payload
    generation: Generation


def payload_to_messages(payload: Payload) -> list[dict[str, Any]]:
    """Return the messages of a payload: the `doc_to_messages` of the inner task."""
    return copy.deepcopy(payload.messages)


def payload_to_visual(payload: Payload) -> list[Any]:
    """Return the media of a payload: the `doc_to_visual` of the inner task."""
    return list(payload.visuals)


class LmmsBackend:
    """One model of lmms-eval, loaded on first use.

    Args:
        model: its id in lmms-eval.

    Raises:
        ConfigError: if lmms-eval has no such model, or it is this package's own wrapper.
    """

    def __init__(self, model: str, options: LmmsOptions | None = None) -> None:
        self._name = model
        self.options = options or LmmsOptions()
        self._form = _known(model)
        self._model_args()
        self._lock = threading.Lock()
        self._model: Any = None
        self._batcher: MicroBatcher[_Job, Any] = MicroBatcher(
            self._generate, self.concurrency, lambda _: "any"
        )

    @functools.cached_property
    def identity(self) -> str:
        """Model, its arguments, the form of its requests, and the version of lmms-eval."""
        from importlib.metadata import version

        facts = [self._model_args(), self._form.model_dump(), version("lmms_eval")]
        return f"lmms:{self._name}#{digest_of(facts)[:12]}"

    @property
    def concurrency(self) -> int:
        """One call's worth of requests."""
        return 1 if self._form.alone else self.options.gather

    async def __call__(self, prompt: Prompt) -> Reply:
        """Answer the prompt.

        Raises:
            MediaError: if a medium cannot be read.
            BackendError: if the wrapper failed, in whichever way it shows that.
            ConfigError: if the model cannot be loaded.
        """
        payload = await asyncio.to_thread(pack, prompt, self._form)
        output = await self._batcher(_Job(payload, prompt.generation))
        return self._reply(output, payload, prompt.generation)

    async def close(self) -> None:
        """Release the model."""
        if self._model is not None:
            self._model.clean()
        self._model = None

    def load(self) -> Any:
        """Return the inner model; makes it on the first call.

        Raises:
            ConfigError: if it cannot be made.
        """
        with self._lock:
            if self._model is None:
                self._model = self._make()
            return self._model

    def _make(self) -> Any:
        from lmms_eval.models import get_model

        device = {"device": self.options.device} if self.options.device else {}
        self._check_modules()
        try:
            kind = get_model(self._name, force_simple=self._form.simple)
            return kind(**{**self._model_args(), **device, "batch_size": 1})
        except Exception as error:
            # The wrappers import and build other people's code, which raises whatever it likes.
            raise ConfigError(
                f"lmms:{self._name} cannot be loaded: {type(error).__name__}: {error}",
                "Install what the model needs (`aurelia doctor` names it), or check model_args.",
            ) from error

    def _model_args(self) -> dict[str, Any]:
        """Return the constructor's arguments: the user's, and those without which media are lost.

        Raises:
            ConfigError: if the user asks for what would lose a medium.
        """
        own = self._form.model_args
        for name, value in self.options.model_args.items():
            if own.get(name, value) != value:
                raise ConfigError(
                    f"lmms:{self._name}: model_args has {name}={value!r}; with that the wrapper "
                    "loses a medium that would be counted as delivered.",
                    f"Leave {name} out, or take evidence away with media=muted or media=blanked.",
                )
        return {**own, **self.options.model_args}

    def _check_modules(self) -> None:
        missing = [name for name in self._form.modules if find_spec(name) is None]
        if missing:
            raise ConfigError(
                f"lmms:{self._name}: {', '.join(missing)} cannot be imported; without it the "
                "wrapper drops a medium and goes on.",
                f"pip install {' '.join(missing)}",
            )

    def _generate(self, jobs: Sequence[_Job]) -> Sequence[Any]:
        """Hand all requests to the model in one call; returns its outputs, in order."""
        from lmms_eval.api.instance import Instance

        model = self.load()
        model.task_dict = {_TASK: {_SPLIT: [job.payload for job in jobs]}}
        requests = [
            Instance(
                request_type="generate_until",
                arguments=_arguments(job, index, simple=model.is_simple),
                idx=0,
                metadata={"task": _TASK, "doc_id": index, "repeats": 1},
            )
            for index, job in enumerate(jobs)
        ]
        try:
            return list(model.generate_until(requests))
        except Exception as error:  # other people's code, which raises whatever it likes
            raise BackendError(
                f"lmms:{self._name}",
                f"the wrapper raised {type(error).__name__}: {error}",
                "See the log above for the wrapper's own messages.",
            ) from error
        finally:
            model.task_dict = {}

    def _reply(self, output: Any, payload: Payload, generation: Generation) -> Reply:
        from lmms_eval.api.instance import unwrap_generation_output

        text, counts = unwrap_generation_output(output)
        if not str(text).strip() or str(text).startswith(_FAILURES):
            raise BackendError(
                f"lmms:{self._name}",
                f"the wrapper returned {str(text)[:200]!r}, which stands for a failure.",
                "See the log above for the wrapper's own error.",
            )
        usage = Usage(
            input_tokens=getattr(counts, "input_tokens", None) or 0,
            output_tokens=getattr(counts, "output_tokens", None) or 0,
        )
        return Reply(
            text=cut_at(str(text), generation.until).strip(),
            usage=usage,
            evidence=payload.evidence,
            model=self._name,
        )


def _known(model: str) -> Form:
    from lmms_eval.models import list_available_models

    if model.startswith("aurelia"):
        raise ConfigError(
            f"lmms:{model} is this package's own wrapper.", "Name the model itself as the target."
        )
    if model not in list_available_models(include_aliases=True):
        raise ConfigError(
            f"lmms-eval has no model {model!r}.", "`lmms-eval models` lists those that it has."
        )
    return form_of(model)


def _arguments(job: _Job, index: int, *, simple: bool) -> tuple[Any, ...]:
    settings = _settings(job.generation)
    where = (index, _TASK, _SPLIT)
    if simple:
        return (job.payload.text, settings, payload_to_visual, *where)
    return (job.payload.text, payload_to_messages, settings, *where)


def _settings(generation: Generation) -> dict[str, Any]:
    """Return generation settings of this request alone: wrappers change what they are given."""
    settings: dict[str, Any] = {
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


def open_backend(model: str, options: LmmsOptions) -> LmmsBackend:
    """Return the backend of `lmms:MODEL`."""
    return LmmsBackend(model, options)
