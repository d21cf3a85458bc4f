"""What adapters say of themselves, read from their files without running them."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.records import Record
from aurelia_plugin.model_wrappers.capabilities import Capabilities
from aurelia_plugin.model_wrappers.catalogue import rows
from aurelia_plugin.model_wrappers.extensions import sidecar_files
from aurelia_plugin.settings import explain

__all__ = ["ADAPTERS", "AdapterFacts", "adapter_facts", "adapters"]

ADAPTERS = Path(__file__).parent / "adapters"


class AdapterFacts(Record):
    """The constants of an adapter's file; docs/sidecars.md explains them."""

    path: Path
    system: str
    capabilities: dict[str, Any]
    environment: str = ""
    upstream: str = ""
    commit: str = ""
    weights: str = ""
    options: dict[str, str] = Field(default_factory=dict)
    functions: tuple[str, ...] = ()

    @property
    def takes(self) -> Capabilities:
        """What the system takes of a clip.

        Raises:
            ConfigError: if `CAPABILITIES` does not say it in the words of docs/sidecars.md.
        """
        try:
            words = (self.capabilities[key] for key in ("sees", "soundtrack", "clips", "seconds"))
            return Capabilities.declared(*words)
        except (KeyError, TypeError, ValidationError) as error:
            raise ConfigError(
                f"{self.path}: CAPABILITIES: {type(error).__name__}: {error}",
                "Write sees, soundtrack, clips, seconds and joint (docs/sidecars.md).",
            ) from error

    @property
    def has_tiny(self) -> bool:
        """Whether it can make a tiny random instance."""
        return "load_tiny" in self.functions


def adapters() -> dict[str, Path]:
    """Return the adapters by name: the packaged ones, then those of other packages."""
    packaged = {path.stem: path for path in sorted(ADAPTERS.rglob("[a-z]*.py"))}
    return {**packaged, **sidecar_files(packaged).found}


def adapter_facts(name: str) -> AdapterFacts:
    """Return the facts of an adapter: packaged, of another package, or a file.

    Args:
        name: an adapter's name, or the path of an adapter's file (`*.py`).

    Raises:
        ConfigError: if there is none, or its constants cannot be read.
    """
    if name.endswith(".py"):
        path = Path(name).expanduser().resolve()
        if not path.is_file():
            raise ConfigError(f"sidecar:{name}: no such file.", "Name an adapter's file.")
        return _read(path, path.stat().st_mtime_ns)
    known = adapters()
    if name not in known:
        raise ConfigError(
            f"{_called(name)}: there is no adapter for this system yet; there are adapters for: "
            f"{', '.join(known)}.",
            "Choose a target that `aurelia doctor` lists as ready, or write an adapter "
            "(docs/sidecars.md) and name it: target=sidecar:/path/to/adapter.py.",
        )
    return _read(known[name], known[name].stat().st_mtime_ns)


def _called(name: str) -> str:
    known = rows().get(name)
    return f"aurelia_{known.id} ({known.system} {known.size})" if known else f"sidecar:{name}"


@functools.lru_cache(maxsize=64)
def _read(path: Path, _version: int) -> AdapterFacts:
    fix = "Write its constants as literals, and a function load (docs/sidecars.md)."
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as Python: {error}", fix) from error
    found: dict[str, Any] = {"path": path}
    names = set(AdapterFacts.model_fields) - {"path", "functions"}
    for name, value in _constants(tree):
        if name.isupper() and name.lower() in names:
            try:
                found[name.lower()] = ast.literal_eval(value)
            except ValueError as error:
                raise ConfigError(f"{path}: {name} is not a literal.", fix) from error
    found["functions"] = tuple(n.name for n in tree.body if isinstance(n, ast.FunctionDef))
    if "load" not in found["functions"]:
        raise ConfigError(f"{path}: it defines no function load.", fix)
    try:
        return AdapterFacts.model_validate(found)
    except ValidationError as error:
        raise ConfigError(explain(error, str(path))[0], fix) from error


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that the file's own lines set, `A, B = 1, 2` included."""
    for node in tree.body:
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=False))
            yield from ((one.id, value) for one, value in pairs if isinstance(one, ast.Name))
