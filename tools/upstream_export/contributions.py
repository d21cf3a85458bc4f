"""What goes upstream: each contribution's files, made of this project's sources."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from upstream_export.boards import board_tree
from upstream_export.docs_rows import DocsRow, rows_added
from upstream_export.formatting import formatted
from upstream_export.tasks import task_tree

__all__ = ["CONTRIBUTIONS", "Contribution", "harness"]

_HERE = Path(__file__).parent
_REPRODUCTIONS = _HERE.parents[1] / "docs" / "upstream" / "reproductions"
_MAIN = 'if __name__ == "__main__":\n'
_CHANGED = re.compile(r"^\+\+\+ b/(\S+)", re.MULTILINE)

Files = dict[Path, str]


class Contribution(NamedTuple):
    """One pull request.

    Attributes:
        folder: of its tree, and the name of its text in docs/upstream.
        files: makes its files, by their paths in a checkout of lmms-eval.
    """

    folder: str
    files: Callable[[], Files]


def harness() -> Path:
    """Return the folder that holds the installed `lmms_eval`.

    Raises:
        ValueError: it is not installed.
    """
    found = importlib.util.find_spec("lmms_eval")
    if found is None or not found.submodule_search_locations:
        raise ValueError("lmms_eval is not installed.")
    return Path(found.submodule_search_locations[0]).parent


def _tested(name: str, test: str) -> Contribution:
    """Return a patch together with its reproduction as a test.

    Args:
        name: of both.
        test: the test's path in the checkout.
    """

    def files() -> Files:
        script = (_REPRODUCTIONS / f"{name}.py").read_text(encoding="utf-8")
        head, found, _ = script.partition(_MAIN)
        if not found:
            raise ValueError(f"{name}.py does not end as reproductions do.")
        asserted = f"{head}def test_{name[2:]}():\n    assert fixed()\n"
        return {**_patched(name)(), Path(test): formatted(asserted)}

    return Contribution(name, files)


def _patched(name: str, *sources: tuple[str, str]) -> Callable[[], Files]:
    """Return what makes the installed harness's files with a patch applied.

    Args:
        name: of the patch.
        sources: files that are added: path in the checkout, and name in `sources`.
    """

    def files() -> Files:
        patch = _HERE / "patches" / f"{name}.patch"
        paths = [Path(path) for path in _CHANGED.findall(patch.read_text(encoding="utf-8"))]
        with tempfile.TemporaryDirectory() as work:
            for path in paths:
                (work / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(harness() / path, work / path)
            _apply(patch, Path(work))
            made = {path: (work / path).read_text(encoding="utf-8") for path in paths}
        for added, source in sources:
            made[Path(added)] = (_HERE / "sources" / source).read_text(encoding="utf-8")
        return made

    return files


def _apply(patch: Path, folder: Path) -> None:
    done = subprocess.run(
        ["git", "apply", "-p1", str(patch)],
        cwd=folder,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ValueError(f"{patch.name} does not fit the installed lmms-eval: {done.stderr}")


def _listed(files: Callable[[], Files], *rows: DocsRow) -> Callable[[], Files]:
    """Return what makes files and, of a checkout that is named, its list of tasks with rows."""
    return lambda: {**files(), **rows_added(rows)}


_OMNI = "- [Omni-Bench]"
_BOARDS = (
    DocsRow(_OMNI, "- [Daily-Omni](https://arxiv.org/abs/2505.17862) (daily_omni)"),
    DocsRow(_OMNI, "- [JointAVBench](https://arxiv.org/abs/2512.12772) (jointavbench)"),
    DocsRow(_OMNI, "- [OmniVideoBench](https://arxiv.org/abs/2510.10689) (omnivideobench)"),
)
_AVREASONBENCH = DocsRow(
    _OMNI, "- [AVReasonBench](https://arxiv.org/abs/2503.23219) (avreasonbench)"
)
_MODEL = DocsRow("| `bagel_", "| `aurelia` | Aurelia | AURELIA (package aurelia-lmms-eval) |")

CONTRIBUTIONS = (
    Contribution("a_avreasonbench", _listed(task_tree, _AVREASONBENCH)),
    Contribution("b_boards", _listed(board_tree, *_BOARDS)),
    _tested("c_task_entry_points", "test/eval/test_task_entry_points.py"),
    _tested("d_filelock", "test/eval/test_filelock_private.py"),
    _tested("e_use_audio_in_video", "test/models/test_qwen_omni_audio_in_video.py"),
    _tested("f_response_cache", "test/cache/test_failures_and_kinds.py"),
    _tested("g_cache_key", "test/cache/test_completed_settings.py"),
    _tested("h_cache_requests", "test/eval/test_cache_requests.py"),
    Contribution(
        "i_model",
        _listed(
            _patched("i_model", ("lmms_eval/models/chat/aurelia.py", "aurelia_model.py")), _MODEL
        ),
    ),
)
"""In the order of their letters; docs/upstream says in which order they are sent."""
