"""Any model that lmms-eval brings, behind the backend protocol.

The model gets a task dictionary of its own, all gathered requests in one call, and batches of one:
so nothing of one request can leak into another, whatever the wrapper does inside a batch.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from loguru import logger
from pydantic import Field, Json

from aurelia_plugin.calling.backend import Generation, Prompt, Reply, Usage, cut_at
from aurelia_plugin.errors import BackendError, ConfigError
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.model_wrappers.batching import MicroBatcher
from aurelia_plugin.model_wrappers.lmms.forms import Payload, WrapperForm, form_of, forms, pack
from aurelia_plugin.model_wrappers.lmms.requests import instance, task_dict
from aurelia_plugin.model_wrappers.options import BackendOptions

if TYPE_CHECKING:
    from lmms_eval.api.model import lmms

__all__ = [
    "OPTIONS",
    "LmmsBackend",
    "LmmsOptions",
    "open_backend",
]


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
        self.takes = self._form.takes
        self._model_args()
        self._lock = threading.Lock()
        self._model: lmms | None = None
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

    async def rest(self) -> bool:
        """Keep the model."""
        return self._model is not None

    async def close(self) -> None:
        """Release the model."""
        if self._model is not None:
            self._model.clean()
        self._model = None

    def load(self) -> lmms:
        """Return the inner model; makes it on the first call.

        Raises:
            ConfigError: if it cannot be made.
        """
        with self._lock:
            if self._model is None:
                self._model = self._make()
            return self._model

    def _make(self) -> lmms:
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
        model = self.load()
        model.task_dict = task_dict([job.payload for job in jobs])
        requests = [
            instance(job.payload, job.generation, index, simple=model.is_simple)
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


def _known(model: str) -> WrapperForm:
    from lmms_eval.models import list_available_models

    if model.startswith("aurelia"):
        raise ConfigError(
            f"lmms:{model} is this package's own wrapper.", "Name the model itself as the target."
        )
    if model not in list_available_models(include_aliases=True):
        raise ConfigError(
            f"lmms-eval has no model {model!r}.", "`lmms-eval models` lists those that it has."
        )
    if model not in forms():
        logger.warning(
            "lmms:{}: how its wrapper takes media was not looked into: what is counted as "
            "delivered may be lost in it; `aurelia probe --target lmms:{}` shows that.",
            *(model, model),
        )
    return form_of(model)


def open_backend(model: str, options: LmmsOptions) -> LmmsBackend:
    """Return the backend of `lmms:MODEL`."""
    return LmmsBackend(model, options)
