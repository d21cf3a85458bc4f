"""Backends behind the stand-in for vLLM, and a run that asks one and keeps what it replies."""

from __future__ import annotations

import asyncio
from pathlib import Path

import fake_engine
from making import QUICK

from aurelia_plugin.calling.backend import Message, Prompt, Text
from aurelia_plugin.calling.caller import Caller
from aurelia_plugin.calling.ledger import Purpose
from aurelia_plugin.model_wrappers.options import read_options
from aurelia_plugin.model_wrappers.vllm.backend import VLLMBackend, VLLMOptions
from aurelia_plugin.running.kept_replies import KeptReplies
from aurelia_plugin.traces.store import TraceStore

__all__ = ["ask_all", "backend_of", "prompt"]


def backend_of(folder: Path, flags: str = "--load=0.1", **options: object) -> VLLMBackend:
    """Return a backend whose engine is the stand-in, installed in a folder."""
    values = {"python": str(fake_engine.install(folder)), "flags": flags, **options}
    return VLLMBackend("m", read_options(VLLMOptions, values, "vllm:m"))


def prompt(text: str) -> Prompt:
    return Prompt((Message("user", (Text(text),)),))


def ask_all(folder: str, flags: str, number: int) -> None:
    """Ask questions one after the other; each reply is kept as soon as it is there."""
    backend = backend_of(Path(folder), flags)
    replies = KeptReplies(Caller(QUICK), TraceStore(Path(folder) / "traces"))

    async def ask() -> None:
        for index in range(number):
            await replies.reply(f"{index:064x}", backend, prompt(str(index)), Purpose())
        await backend.close()

    asyncio.run(ask())
