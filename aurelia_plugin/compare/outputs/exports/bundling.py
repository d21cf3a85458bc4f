"""Several modules of this package as one: what is reached from some names, and nothing else.

Names keep their spelling; where two modules use one for different things, the later one's gets its
module's name behind it. Comments and all but the first line of a docstring stay behind.
"""

from __future__ import annotations

import ast
import importlib.util
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

__all__ = ["Name", "bundle"]

_PACKAGE = "aurelia_plugin"
_DEFINITIONS = (ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)


class Name(NamedTuple):
    """A top-level name of a module."""

    module: str
    name: str


@dataclass
class _Module:
    """One module of the package.

    Attributes:
        definitions: in their order; each may define several names.
        owners: name -> the definition that makes it.
        own: local name -> where it comes from in this package; a module where `name` is "".
        foreign: local name -> the import statement of another package.
    """

    path: str
    definitions: list[ast.stmt] = field(default_factory=list)
    owners: dict[str, ast.stmt] = field(default_factory=dict)
    own: dict[str, Name] = field(default_factory=dict)
    foreign: dict[str, str] = field(default_factory=dict)


def bundle(wanted: Sequence[Name], title: str) -> str:
    """Return the source of one module with everything that the wanted names need.

    Args:
        wanted: they come under their own names.
        title: the module's docstring.

    Raises:
        ValueError: a module has a top-level statement that is neither import nor definition, or a
            name that has to change is used for something else inside a function.
    """
    return _Bundle().source(wanted, title)


class _Bundle:
    def __init__(self) -> None:
        self._modules: dict[str, _Module] = {}
        self._order: list[str] = []
        self._kept: set[int] = set()

    def source(self, wanted: Sequence[Name], title: str) -> str:
        for name in wanted:
            self._reach(name)
        for name in wanted:
            self._put_in_order(name.module)
        final = self._final_names()
        imports: set[str] = set()
        body: list[str] = []
        for path in self._order:
            module = self._modules[path]
            for definition in module.definitions:
                if id(definition) not in self._kept:
                    continue
                imports |= {
                    module.foreign[used]
                    for used in _used(definition)
                    if used in module.foreign and used not in module.owners
                }
                body.append(self._emitted(definition, module, final))
        head = [f'"""{title}"""', "from __future__ import annotations", *sorted(imports)]
        return "\n".join([*head, *body]) + "\n"

    def _reach(self, name: Name) -> None:
        module = self._module(name.module)
        if name.name not in module.owners:
            if name.name in module.own:  # handed on
                self._reach(module.own[name.name])
                return
            raise ValueError(f"{name.module}: no {name.name} at its top level")
        definition = module.owners[name.name]
        if id(definition) in self._kept:
            return
        self._kept.add(id(definition))
        for target in self._needed(definition, module):
            self._reach(target)

    def _put_in_order(self, path: str) -> None:
        """Put a module behind those that it imports, as they would be executed."""
        if path in self._order:
            return
        for source in self._module(path).own.values():
            if source.module in self._modules:
                self._put_in_order(source.module)
        self._order.append(path)

    def _needed(self, definition: ast.stmt, module: _Module) -> Iterator[Name]:
        for used in _used(definition):
            if used in module.owners:
                yield Name(module.path, used)
            elif used in module.own and module.own[used].name:
                yield module.own[used]
        for node in ast.walk(definition):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                source = module.own.get(node.value.id)
                if source is not None and not source.name:
                    yield Name(source.module, node.attr)

    def _module(self, path: str) -> _Module:
        if path not in self._modules:
            self._modules[path] = _read(path)
        return self._modules[path]

    def _final_names(self) -> dict[Name, str]:
        kept = [
            Name(path, name)
            for path in self._order
            for name, definition in self._modules[path].owners.items()
            if id(definition) in self._kept
        ]
        times = Counter(name.name for name in kept)
        seen: set[str] = set()
        final = {}
        for name in kept:
            spelled = name.name
            if times[spelled] > 1 and spelled in seen:
                spelled = f"{spelled}_{name.module.rpartition('.')[2].upper()}"
                if not name.name.strip("_").isupper():
                    spelled = spelled.lower() if name.name.islower() else spelled.title()
            seen.add(name.name)
            final[name] = spelled
        return final

    def _emitted(self, definition: ast.stmt, module: _Module, final: Mapping[Name, str]) -> str:
        local: dict[str, str] = {}
        for used in {*_used(definition), *_defined(definition)}:
            source = Name(module.path, used) if used in module.owners else module.own.get(used)
            if source is not None and source.name:
                local[used] = final[self._origin(source)]
        changed = {old: new for old, new in local.items() if old != new}
        clash = changed.keys() & _bound_inside(definition)
        if clash:
            raise ValueError(f"{module.path}: {', '.join(sorted(clash))} is bound in a function")
        tree = _Renamed(changed, module, lambda name: final[self._origin(name)]).visit(definition)
        return ast.unparse(_short_docstrings(tree))

    def _origin(self, name: Name) -> Name:
        module = self._module(name.module)
        if name.name in module.owners or name.name not in module.own:
            return name
        return self._origin(module.own[name.name])


class _Renamed(ast.NodeTransformer):
    def __init__(
        self, names: Mapping[str, str], module: _Module, final: Callable[[Name], str]
    ) -> None:
        self._names = names
        self._module = module
        self._final = final

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._names.get(node.id, node.id)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self._names.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self._names.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name):
            source = self._module.own.get(node.value.id)
            if source is not None and not source.name:
                return ast.Name(self._final(Name(source.module, node.attr)), node.ctx)
        return self.generic_visit(node)


def _read(path: str) -> _Module:
    found = importlib.util.find_spec(path)
    if found is None or found.origin is None:
        raise ValueError(f"{path}: no such module")
    module = _Module(path)
    package = path if Path(found.origin).name == "__init__.py" else path.rpartition(".")[0]
    for statement in ast.parse(Path(found.origin).read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            _note_import(module, statement, package)
        elif isinstance(statement, _DEFINITIONS):
            defined = _defined(statement)
            if defined != {"__all__"}:
                module.definitions.append(statement)
                module.owners |= dict.fromkeys(defined, statement)
        elif not isinstance(statement, ast.Expr | ast.If):  # docstrings; `if TYPE_CHECKING`
            raise ValueError(f"{path}:{statement.lineno}: {type(statement).__name__}")
    return module


def _note_import(module: _Module, statement: ast.Import | ast.ImportFrom, package: str) -> None:
    for alias in statement.names:
        local = alias.asname or alias.name.partition(".")[0]
        renamed = f" as {alias.asname}" if alias.asname else ""
        if isinstance(statement, ast.Import):
            module.foreign[local] = f"import {alias.name}{renamed}"
            continue
        source = statement.module or ""
        if statement.level:
            source = importlib.util.resolve_name("." * statement.level + source, package)
        if source.partition(".")[0] != _PACKAGE:
            module.foreign[local] = f"from {source} import {alias.name}{renamed}"
        elif _is_module(f"{source}.{alias.name}"):
            module.own[local] = Name(f"{source}.{alias.name}", "")
        else:
            module.own[local] = Name(source, alias.name)


def _is_module(path: str) -> bool:
    try:
        return importlib.util.find_spec(path) is not None
    except ModuleNotFoundError:
        return False


def _defined(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]  # type: ignore[attr-defined]
    names = (node for target in targets for node in ast.walk(target))
    return {node.id for node in names if isinstance(node, ast.Name)}


def _used(statement: ast.stmt) -> set[str]:
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def _bound_inside(statement: ast.stmt) -> set[str]:
    """Return the arguments and local variables of a definition's functions."""
    bound: set[str] = set()
    for function in ast.walk(statement):
        if isinstance(function, ast.FunctionDef | ast.Lambda):
            bound |= {node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)}
        if isinstance(function, ast.FunctionDef):
            bound |= {
                node.id
                for node in ast.walk(function)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
    return bound


def _short_docstrings(tree: ast.AST) -> ast.AST:
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        text = ast.get_docstring(node)
        if text is None:
            continue
        first = node.body[0]
        if isinstance(first, ast.Expr):
            first.value = ast.Constant(text.partition("\n")[0])
    return tree
