"""The provider `python`: a class in a file of the user's own, `python:FILE.py:Class?key=value`.

The class has an async `__call__(prompt)` that returns a `Reply` or text; its options are keyword
arguments. `identity`, `concurrency` and `close` of the backend protocol may be left out.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, cast, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from aurelia_plugin.calling.backend import Backend, Prompt, Reply
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.digests import digest_of, digest_of_path
from aurelia_plugin.model_wrappers.options import BackendOptions

__all__ = ["OPTIONS", "PythonOptions", "open_backend"]


class PythonOptions(BackendOptions):
    """Options of `python:FILE.py:Class`: the keyword arguments of the class."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=False)


OPTIONS = PythonOptions


def open_backend(model: str, options: PythonOptions) -> Backend:
    """Return an instance of the class as a backend.

    Args:
        model: `FILE.py:Class`.
        options: its keyword arguments; text is read as the type that the class annotates.

    Raises:
        ConfigError: if the file or the class is missing, cannot be run, does not take an option, or
            is no backend.
    """
    spec = f"python:{model}"
    file, colon, name = model.rpartition(":")
    path = Path(file).expanduser()
    if not colon or not name or not path.is_file():
        raise ConfigError(
            f"{spec}: {f'there is no file {file}' if colon else 'it names no class'}.",
            "Write target=python:FILE.py:Class, with the path of an existing file.",
        )
    digest = digest_of_path(path)
    kind = _class(_module(path, digest, spec), name, spec)
    given = dict(options.model_extra or {})
    facts = f"python:{path.name}:{name}@{digest[:12]}#{digest_of(_plain(given))[:12]}"
    try:
        return cast("Backend", _completed(kind, facts)(**_arguments(kind, given, spec)))
    except ConfigError:
        raise
    except Exception as error:  # the user's own code, which raises what it likes
        raise ConfigError(
            f"{spec}: the class cannot be made: {type(error).__name__}: {error}",
            "Correct the file or the options.",
        ) from error


def _module(path: Path, digest: str, spec: str) -> ModuleType:
    """Run the file; an unchanged one only once, so that its classes stay themselves."""
    name = f"aurelia_python_{digest[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise ConfigError(f"{spec}: {path} is no Python file.", "Name a file that ends in .py.")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    try:
        found.loader.exec_module(module)
    except Exception as error:  # the user's own code, which raises what it likes
        del sys.modules[name]
        raise ConfigError(
            f"{spec}: {path} cannot be run: {type(error).__name__}: {error}",
            "Correct the file, or install what it imports into this environment.",
        ) from error
    return module


def _class(module: ModuleType, name: str, spec: str) -> type:
    kind = getattr(module, name, None)
    if not isinstance(kind, type):
        own = [
            key
            for key, value in vars(module).items()
            if isinstance(value, type) and value.__module__ == module.__name__
        ]
        raise ConfigError(
            f"{spec}: the file has no class {name!r}.",
            f"Its classes: {', '.join(own) or 'none'}.",
        )
    if not inspect.iscoroutinefunction(getattr(kind, "__call__", None)):  # noqa: B004 - as a method
        raise ConfigError(
            f"{spec}: the class is no backend: it has no `async def __call__(self, prompt)`.",
            "Write one that returns aurelia_plugin.calling.backend.Reply, or text.",
        )
    return kind


def _arguments(kind: type, given: Mapping[str, object], spec: str) -> dict[str, Any]:
    """Return the keyword arguments, each as its annotation says.

    Raises:
        ConfigError: for one that is not there, or that does not fit.
    """
    parameters = inspect.signature(kind).parameters
    takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    names = [n for n, p in parameters.items() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    unknown = [] if takes_all else sorted(set(given) - set(names))
    if unknown:
        raise ConfigError(
            f"{spec}: the class takes no option {', '.join(unknown)}.",
            f"Its keyword arguments: {', '.join(names) or 'none'}.",
        )
    hints = get_type_hints(kind.__init__)  # type: ignore[misc]
    values = {}
    for name, value in given.items():
        try:
            values[name] = TypeAdapter(hints.get(name, object)).validate_python(value)
        except ValidationError as error:
            raise ConfigError(
                f"{spec}: {name}={value!r}: {error.errors()[0]['msg']}.", "Correct this option."
            ) from error
    return values


def _completed(kind: type, facts: str) -> type:
    """Return the class with what it leaves out of the protocol, and the file in its identity."""

    class Completed(kind):  # type: ignore[misc]
        concurrency = getattr(kind, "concurrency", 1)

        async def __call__(self, prompt: Prompt) -> Reply:
            reply = await super().__call__(prompt)
            return reply if isinstance(reply, Reply) else Reply(text=str(reply))

        async def close(self) -> None:
            if hasattr(kind, "close"):
                await super().close()

        @property
        def identity(self) -> str:
            own = self.__dict__.get("identity")
            if own is None and hasattr(kind, "identity"):
                own = super().identity
            return facts if own is None else f"{facts} {own}"

        @identity.setter
        def identity(self, value: str) -> None:
            self.__dict__["identity"] = value

    Completed.__name__ = Completed.__qualname__ = kind.__name__
    return Completed


def _plain(given: Mapping[str, object]) -> dict[str, str]:
    return {key: str(value) for key, value in given.items()}
