"""`aurelia sidecar`: environments of other systems, and whether a system works in one."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aurelia_plugin.arguments import read_pairs
from aurelia_plugin.commands.console import say
from aurelia_plugin.commands.messages import quiet_harness
from aurelia_plugin.commands.parser import Subcommands
from aurelia_plugin.errors import ConfigError

if TYPE_CHECKING:
    from aurelia_plugin.model_wrappers.sidecar.backend import SidecarBackend

__all__ = ["add", "add_place", "given_place"]


def add(commands: Subcommands) -> None:
    """Add the command to the parser."""
    command = commands.add_parser(
        "sidecar",
        help="set up and check systems that run in a Python environment of their own",
        description="Systems with the backend `sidecar:` run from your own checkout of their code, "
        "each in its own Python environment.",
    )
    actions = command.add_subparsers(title="actions", required=True)
    _add_create(actions)
    check = actions.add_parser(
        "check",
        help="load a system, ask it about one clip, and say which media changed the output",
        description="Load a system in its environment, send one clip as it is, muted, blanked, "
        "with another sound and without media, and say which media changed the output. With --tiny "
        "the system is a tiny random instance made of its own classes. The exit status is 0 only "
        "if both media reach the model.",
    )
    add_place(check)
    check.set_defaults(run=_check)
    conformance = actions.add_parser(
        "conformance",
        help="try whether an adapter keeps the rules of docs/sidecars.md",
        description="Load a system through its adapter and try every rule of docs/sidecars.md. The "
        "exit status is 0 only if all hold.",
    )
    add_place(conformance)
    conformance.set_defaults(run=_conformance)


def _add_create(actions: Subcommands) -> None:
    create = actions.add_parser(
        "create",
        help="make the Python environment of one or several systems with pip",
        description="Make a venv from a requirements file of the package and check that all its "
        "modules can be imported. Without a name, list the environments.",
    )
    create.add_argument("environment", nargs="?", help="its name")
    create.add_argument(
        "--python",
        help="the interpreter that the venv is made from; by default this one, or, where it does "
        "not fit, the newest on the PATH that does",
    )
    create.add_argument("--to", type=Path, metavar="DIR", help="where; by default in the cache")
    create.set_defaults(run=_create)


def add_place(
    action: argparse.ArgumentParser,
    system: str = "a catalogue id, an adapter's name, or an adapter's file",
) -> None:
    """Add the arguments that say where a system is.

    Args:
        action: gets them.
        system: what the first one is.
    """
    action.add_argument("system", help=system)
    action.add_argument("--repo", metavar="DIR", help="a checkout of the system's code")
    action.add_argument("--python", help="the interpreter of the system's environment")
    action.add_argument("--weights", metavar="DIR", help="the system's weights")
    action.add_argument("--tiny", action="store_true", help="a tiny random instance, no weights")
    action.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="another option of the backend; may be given several times",
    )


def _create(options: argparse.Namespace) -> None:
    from aurelia_plugin.model_wrappers import environments
    from aurelia_plugin.model_wrappers.sidecar import facts

    if options.environment is None:
        for name in environments.names():
            made = environments.environment_python(name)
            users = [n for n in facts.adapters() if facts.adapter_facts(n).environment == name]
            say(f"{name}: {made or 'not made'}; for: {', '.join(users) or '-'}")
        return
    wanted = environments.environment(options.environment)
    environments.create(
        wanted, python=options.python, folder=options.to, say=lambda text: say(text)
    )


def given_place(options: argparse.Namespace) -> dict[str, str | bool]:
    """Return where a system is, as options of its backend."""
    given: dict[str, str | bool] = {
        key: str(Path(getattr(options, key)).expanduser().absolute())
        for key in ("repo", "python", "weights")
        if getattr(options, key)
    }
    return {**given, "tiny": True} if options.tiny else given


def _backend(options: argparse.Namespace) -> SidecarBackend:
    """Return the backend of what the arguments name.

    Raises:
        ConfigError: if it is no sidecar, or lacks something.
    """
    from aurelia_plugin.model_wrappers.providers import BackendPool
    from aurelia_plugin.model_wrappers.sidecar.backend import SidecarBackend
    from aurelia_plugin.model_wrappers.sidecar.facts import adapters
    from aurelia_plugin.spec import catalogue_id

    given = {**read_pairs(options.option, "--option"), **given_place(options)}
    quiet_harness()
    system = catalogue_id(options.system)
    is_adapter = system.endswith(".py") or system in adapters()
    backend = BackendPool(f"sidecar:{system}" if is_adapter else system, given).target
    if not isinstance(backend, SidecarBackend):
        raise ConfigError(f"{options.system} is no sidecar.", "See `aurelia models`.")
    return backend


def _check(options: argparse.Namespace) -> int:
    import asyncio

    from aurelia_plugin.calling.backend import Generation, Message, Prompt, Text
    from aurelia_plugin.calling.retries import RetryPolicy
    from aurelia_plugin.commands.probe import clips, report
    from aurelia_plugin.running.probing import Probe, probe

    backend = _backend(options)
    hello = Prompt((Message("user", (Text("Say hello."),)),), Generation(max_new_tokens=1))

    async def run(folder: Path) -> Probe:
        clip, other = clips(folder, None)
        try:
            await backend(hello)  # an error here is the system's, and no finding about media
            return await probe(backend, clip, other, retry=RetryPolicy(attempts=1))
        finally:
            await backend.close()

    with tempfile.TemporaryDirectory() as folder:
        probed = asyncio.run(run(Path(folder)))
    for line in backend.facts_lines():
        say(line)
    say(report(options.system, probed))
    return 0 if probed.passed else 1


def _conformance(options: argparse.Namespace) -> int:
    from aurelia_plugin.commands.probe import clips
    from aurelia_plugin.model_wrappers.sidecar.conformance import conformance

    backend = _backend(options)
    broken = 0
    with tempfile.TemporaryDirectory() as folder:
        clip, other = clips(Path(folder), None)
        try:
            for check in conformance(backend.place.facts, backend.pool, clip, other, Path(folder)):
                broken += not check.holds
                say(f"{'holds ' if check.holds else 'BROKEN'}  {check.rule}: {check.why}")
        finally:
            backend.pool.close()
    say(f"{'FAIL' if broken else 'PASS'}: {broken} rules broken")
    return 1 if broken else 0
