"""A scripted backend that looks as if it stood behind a network."""

from __future__ import annotations

from typing import Any

from aurelia_plugin.calling.backend import Service
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend


class ServedBackend(ScriptedBackend):
    def __init__(
        self,
        script: Any = ("a",),
        *,
        identity: str = "served",
        model: str = "m-1",
        most: int = 8,
        timeout: float = 60,
        room: int = 0,
    ) -> None:
        super().__init__(script, identity=identity)
        self.service = Service(f"loopback {model}", model, timeout, room)
        self._most = most

    @property
    def concurrency(self) -> int:
        return self._most
