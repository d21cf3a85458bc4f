"""What lets upstream code be imported in newer or smaller environments.

Each changes the worker's own process only, and an adapter calls what its system needs before it
imports upstream code.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import functools
import importlib
import importlib.machinery
import importlib.util
import os
import shutil
import sys
import types
from typing import Any, Iterable, Iterator, List, Mapping

__all__ = [
    "constant",
    "hashable_dataclasses",
    "import_from",
    "linked",
    "require_programs",
    "sound_instead",
    "stub",
    "stub_after",
    "working_in",
]


def stub(name: str, **attributes: Any) -> Any:
    """Put an empty module where upstream imports one that inference never uses; return it.

    A module that is installed, or already there, stays. Parents of a dotted name are made too.
    """
    parent = None
    for end in range(1, name.count(".") + 2):
        part = ".".join(name.split(".")[:end])
        if part not in sys.modules:
            if parent is None and importlib.util.find_spec(part) is not None:
                __import__(part)
            else:
                module: Any = types.ModuleType(part)
                module.__path__ = []
                module.__spec__ = importlib.machinery.ModuleSpec(part, None)
                sys.modules[part] = module
        if parent is not None:
            setattr(parent, part.rpartition(".")[2], sys.modules[part])
        parent = sys.modules[part]
    for key, value in attributes.items():
        if not hasattr(parent, key):
            setattr(parent, key, value)
    return parent


def stub_after(imports: Iterable[str], names: Iterable[str]) -> None:
    """Put empty modules in place once others are imported, which would look for the real ones.

    transformers and peft probe for deepspeed and the like when they are imported, and act on what
    they find.

    Args:
        imports: modules that are imported first, as far as they are there.
        names: those of `stub`.
    """
    for name in imports:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for name in names:
        stub(name)


def import_from(*folders: str) -> None:
    """Let modules be found in folders of upstream's checkout, before all others.

    Raises:
        FileNotFoundError: if one is not there.
    """
    for folder in reversed(folders):
        if not os.path.isdir(folder):
            raise FileNotFoundError(f"{folder}: no such folder; is it upstream's checkout?")
        sys.path.insert(0, folder)


def linked(folder: str, links: Mapping[str, str]) -> str:
    """Put links to files and folders into a folder; return it.

    For upstream code with fixed relative paths: `working_in` it, nothing of the user's is changed.
    """
    os.makedirs(folder, exist_ok=True)
    for name, target in links.items():
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        os.symlink(os.path.abspath(target), os.path.join(folder, name))
    return folder


def constant(path: str, name: str) -> Any:
    """Return a constant of an upstream file that cannot be imported without much else.

    Raises:
        ValueError: if the file sets no such literal.
    """
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return ast.literal_eval(node.value)
    raise ValueError(f"{path} sets no {name}")


@contextlib.contextmanager
def working_in(folder: str) -> Iterator[None]:
    """Let relative paths of upstream code begin in a folder while something is loaded."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def hashable_dataclasses(package: str) -> Iterator[None]:
    """Let a package that is imported inside define dataclasses whose defaults are dataclasses.

    Python 3.11 takes such a default only if it is hashable. Other packages' stay as they are.
    """
    original: Any = dataclasses.dataclass

    def dataclass(cls: Any = None, **given: Any) -> Any:
        if cls is None:
            return functools.partial(dataclass, **given)
        if cls.__module__.split(".")[0] == package:
            given = {"unsafe_hash": True, **given}
        return original(cls, **given)

    dataclasses.dataclass = dataclass
    try:
        yield
    finally:
        dataclasses.dataclass = original


def require_programs(*names: str) -> None:
    """Check that upstream will find the programs that it starts.

    Raises:
        FileNotFoundError: naming those that are not on the PATH.
    """
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise FileNotFoundError(
            f"not on the PATH: {', '.join(missing)}. Upstream reads media with it; install it, for "
            "instance with `apt-get install ffmpeg`."
        )


@contextlib.contextmanager
def sound_instead(module: Any, loader: str, path: str) -> Iterator[List[Exception]]:
    """Let upstream load a sound of the request where it would read the soundtrack of a video file.

    Args:
        module: where upstream's code looks its loader up.
        loader: the name of the loader, whose first argument is a list of paths.
        path: the sound.

    Yields:
        What the loader raised, for upstream code that goes on without the sound.
    """
    original = getattr(module, loader)
    failures: List[Exception] = []

    def load(_paths: Any, *given: Any, **named: Any) -> Any:
        try:
            return original([path], *given, **named)
        except Exception as error:  # noted because upstream may catch it and go on
            failures.append(error)
            raise

    setattr(module, loader, load)
    try:
        yield failures
    finally:
        setattr(module, loader, original)
