"""Every subcommand of `aurelia`, and what a person can give it that is wrong."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from aurelia_plugin.cli import parser

__all__ = ["COMMANDS", "KINDS", "Command", "leaves", "made"]


class Command(NamedTuple):
    """A subcommand.

    Attributes:
        words: all that it needs; `{path}` stands for a file or folder that it reads, `{out}` for
            one that it writes.
        options: further options whose value is a path that it reads.
        writes: the option that names what it writes, if there is one.
        numbers: options that take a number.
    """

    words: str
    options: tuple[str, ...] = ()
    writes: str | None = None
    numbers: tuple[str, ...] = ()


COMMANDS = {
    "tasks-path": Command(""),
    "study": Command("{path}", (), "--out", ("--limit", "--seed")),
    "compare": Command("{path}", ("--prices", "--board"), "--out", ("--draws", "--seed")),
    "distil": Command(
        "--tasks avreasonbench_mini_geoiq --model_args agents=scripted:{path} --limit 1",
        ("--include_path",),
        None,
        ("--limit", "--dry-run", "--workers"),
    ),
    "traces check": Command("{path}"),
    "traces merge": Command("{path} --to {out}", (), "--to"),
    "traces push": Command("{path} {out}"),
    "traces pull": Command("{path} --to {out}", (), "--to"),
    "data check": Command("{path}"),
    "data schema": Command(""),
    "data build": Command(
        "avsd --annotations {path} --to {out}",
        ("--references", "--media", "--ids"),
        "--to",
        ("--number", "--seed"),
    ),
    "data import": Command("{path} --to {out}", ("--fill", "--media"), "--to"),
    "data annotate": Command("{path} --model_args agents=scripted:{path}"),
    "models": Command(""),
    "probe": Command("--target scripted:{path}", ("--clip",)),
    "doctor": Command(""),
    "sidecar create": Command("no_such_environment --to {out}", ("--python",), "--to"),
    "sidecar check": Command("videollama2 --repo {path}", ("--python", "--weights")),
    "sidecar conformance": Command("{path}", ("--repo", "--python", "--weights")),
    "verify": Command(
        "scripted:{path} --items 1 --out {out}", ("--clip",), "--out", ("--items", "--seed")
    ),
    "engine create": Command("no_such_environment --to {out}", ("--python",), "--to"),
    "engine check": Command("vllm:m?python={path}"),
    "engine hold": Command("vllm:m?python={path} true"),
    "summary": Command("{path}"),
    "export lm-eval": Command("{path} --to {out}", (), "--to"),
    "export leaderboard": Command("{path} --to {out}", (), "--to"),
    "export submission": Command("{path} --to {out}", ("--traces",), "--to"),
    "board": Command("{path}", ("--items",), "--out"),
    "reported": Command(""),
}

EVIL = "\x1b[31m\x9b1m\u202egpj"
"""What a terminal would act on."""

KINDS = (
    "missing",
    "below_a_file",
    "empty_file",
    "empty_folder",
    "garbage",
    "not_utf8",
    "deep_json",
    "evil_json",
    "wrong_json",
    "wrong_yaml",
    "too_long",
    "nul",
    "link_to_itself",
    "device",
    "evil_name",
    "not_utf8_name",
)


def made(kind: str, folder: Path) -> str:
    """Make one kind of wrong input and return its path."""
    path = folder / "given.json"
    contents = {
        "empty_file": b"",
        "garbage": bytes(range(256)) * 40,
        "not_utf8": b'{"query": "\xff\xfe"}\n',
        "deep_json": b"[" * 200_000,
        "evil_json": f'{{"{EVIL}": "{EVIL}", "query": "{EVIL}"}}'.encode(),
        "wrong_json": b'[{"a": NaN}, 3, null, {"id": {}, "question": [], "targets": 7}]',
        "wrong_yaml": b"a: [1, 2\n\tb: !!python/object:os.system {}\n",
    }
    if kind in contents:
        path.write_bytes(contents[kind])
    elif kind == "below_a_file":
        path.write_text("{}")
        return str(path / "x")
    elif kind == "empty_folder":
        path.mkdir()
    elif kind == "link_to_itself":
        path.symlink_to(path)
    others = {
        "too_long": str(folder / ("x" * 5000)),
        "nul": f"{folder}/a\0b",
        "device": "/dev/null",
        "evil_name": str(folder / EVIL),
        "not_utf8_name": f"{folder}/\udcff",
    }
    return others.get(kind, str(path))


def leaves(found: argparse.ArgumentParser | None = None) -> Iterator[str]:
    """Yield the words of every subcommand that the parser knows."""
    found = found or parser()
    groups = [a for a in found._actions if isinstance(a, argparse._SubParsersAction)]
    if not groups:
        yield " ".join(found.prog.split()[1:])
    for group in groups:
        for inner in group.choices.values():
            yield from leaves(inner)
