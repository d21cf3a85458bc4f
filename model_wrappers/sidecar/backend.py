"""The provider `sidecar`: systems in environments of their own, behind the backend protocol."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from loguru import logger

from aurelia_plugin.calling.backend import Evidence, Prompt, Reply, Usage
from aurelia_plugin.errors import AureliaError, BackendError, MediaError
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.model_wrappers.capabilities import Capabilities
from aurelia_plugin.model_wrappers.sidecar.blocks import generation_fields, written
from aurelia_plugin.model_wrappers.sidecar.installation import Place, SidecarOptions, found
from aurelia_plugin.model_wrappers.sidecar.pool import Outcome, WorkerPool
from aurelia_plugin.model_wrappers.sidecar.process import Ready
from aurelia_plugin.model_wrappers.sidecar.worker import PROTOCOL

__all__ = ["OPTIONS", "SidecarBackend", "open_backend"]

OPTIONS = SidecarOptions


class SidecarBackend:
    """One system; its workers start with the first prompt.

    Args:
        place: where it is.
        options: how it is run.

    Attributes:
        place: as given.
        pool: its workers.
    """

    def __init__(self, place: Place, options: SidecarOptions) -> None:
        self.place = place
        self._options = options
        self.pool = WorkerPool(place.launches(options))
        self._memory_mb: float | None = None
        self._ready: Ready | None = None
        self._said: set[str] = set()

    @functools.cached_property
    def identity(self) -> str:
        """Adapter, upstream commit, weights, and the options that can change a reply."""
        options = self._options
        facts = [
            self.place.facts.path.read_text(encoding="utf-8"),
            PROTOCOL,
            _commit(self.place.repo),
            self.place.weights,
            options.tiny and options.seed,
            options.decoding,
            options.max_new_tokens,
            sorted(self.place.more.items()),
        ]
        return f"sidecar:{self.place.facts.path.stem}#{digest_of(facts)[:12]}"

    @property
    def concurrency(self) -> int:
        """Two for each worker: while one is answered, the next one's files are written."""
        return 2 * self.pool.size

    @property
    def takes(self) -> Capabilities:
        """What its adapter says that the system takes."""
        return self.place.facts.takes

    @property
    def memory_mb(self) -> float | None:
        """The worker's peak memory in megabytes, as its last reply told it."""
        return self._memory_mb

    async def __call__(self, prompt: Prompt) -> Reply:
        """Answer the prompt.

        Raises:
            MediaError: if a medium cannot be read.
            BackendError: if the system or its worker failed.
            ConfigError: if it cannot be loaded, or breaks its worker again and again.
        """
        blocks = await asyncio.to_thread(written, prompt)
        fields = self._fields(prompt, logits=False)
        return self._reply(await asyncio.wrap_future(self.pool.ask(blocks, fields)))

    def next_token_logits(self, prompt: Prompt) -> npt.NDArray[np.float32] | None:
        """Return the logits of the reply's first token: float32 [vocabulary]; None if unknown.

        Raises: as `__call__`.
        """
        outcome = self.pool.ask(written(prompt), self._fields(prompt, logits=True)).result()
        self._reply(outcome)
        logits = outcome.reply.get("logits")
        return None if logits is None else np.asarray(logits, dtype=np.float32)

    def facts_lines(self) -> list[str]:
        """Return what is known of the system once it has answered, one fact a line."""
        facts, ready = self.place.facts, self._ready
        lines = [f"adapter: {facts.path}", f"python: {self.place.python}"]
        if facts.upstream:
            commit = _commit(self.place.repo)
            lines.append(
                f"upstream: {facts.upstream} at {commit}; read at {facts.commit or 'none'}"
            )
        if ready is not None:
            versions = ", ".join(f"{name} {version}" for name, version in ready.versions.items())
            lines.append(f"system: {ready.system}; {versions or 'standard library'}")
        return lines

    async def rest(self) -> bool:
        """Keep the workers, unless the system was given up."""
        return self.pool.usable

    async def close(self) -> None:
        """End the workers."""
        await asyncio.to_thread(self.pool.close)

    def _fields(self, prompt: Prompt, *, logits: bool) -> dict[str, Any]:
        options, generation = self._options, prompt.generation
        if options.max_new_tokens is not None:
            most = min(options.max_new_tokens, generation.max_new_tokens)
            generation = replace(generation, max_new_tokens=most)
        return generation_fields(generation, decoding=options.decoding, logits=logits)

    def _reply(self, outcome: Outcome) -> Reply:
        self._ready, reply = outcome.ready, outcome.reply
        if "error" in reply:
            raise self._failure(reply["error"])
        self._memory_mb = reply.get("memory_mb")
        for warning in reply["warnings"]:
            self._say(warning)
        used = reply["used"]
        return Reply(
            text=reply["text"],
            usage=Usage(input_tokens=used["input_tokens"], output_tokens=used["output_tokens"]),
            evidence=Evidence(
                frames=used["frames"],
                images=used["images"],
                clips=used["clips"],
                sound_seconds=round(used["sound_seconds"], 6),
                dropped=tuple(used["dropped"]),
            ),
            model=outcome.ready.system,
        )

    def _failure(self, error: dict[str, Any]) -> AureliaError:
        if error["kind"] == "media":
            return MediaError(error["path"], error["cause"])
        if error["kind"] == "request":
            return BackendError(self.place.name, error["what"], error["fix"])
        self._say(f"the worker's traceback:\n{error.get('trace', '')}")
        return BackendError(
            self.place.name,
            error["message"],
            "The worker's traceback is in the log.",
        )

    def _say(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            logger.warning(f"{self.place.name}: {text}")


def open_backend(model: str, options: SidecarOptions) -> SidecarBackend:
    """Return the backend of `sidecar:SYSTEM`, or of an adapter's file.

    Raises:
        ConfigError: naming the model, each setting that is missing or wrong, and the fix.
    """
    return SidecarBackend(found(model, options), options)


def _commit(repo: str) -> str:
    """Return the commit of a checkout, or its path where that cannot be told."""
    folder = Path(repo) / ".git"
    try:
        head = (folder / "HEAD").read_text(encoding="ascii").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        if (folder / name).is_file():
            return (folder / name).read_text(encoding="ascii").strip()
        packed = (folder / "packed-refs").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return repo
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), repo)
