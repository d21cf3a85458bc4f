"""Daily-Omni, JointAVBench and OmniVideoBench as lmms-eval's own tasks, without this plugin."""

from __future__ import annotations

from pathlib import Path

from aurelia_plugin.benchmark.boards.board_set import BoardSet
from aurelia_plugin.benchmark.boards.known import BOARD_SETS
from upstream_export.formatting import formatted
from upstream_export.readers import SHARED, board_rules
from upstream_export.yaml_files import BY_VIDEO, GENERATION, read_yaml

__all__ = ["board_tree"]

_TASKS = Path("lmms_eval/tasks")
_ROOT = Path(__file__).resolve().parents[2]
_SOURCES = Path(__file__).parent / "sources"
_FUNCTIONS = (
    *("doc_to_messages", "doc_to_text", "doc_to_visual", "mean_by_video", "official_mean"),
    "process_results",
)
_UTILS = """\
\"\"\"{title}: see lmms_eval/tasks/_task_utils/av_boards.py.\"\"\"

from lmms_eval.tasks._task_utils.av_boards import dataset_kwargs, {functions}

__all__ = [{names}]


def __getattr__(name):
    \"\"\"Return where the documents are, when the task is selected.\"\"\"
    if name == "DATASET":
        return dataset_kwargs("{name}")
    raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
"""
_TEMPLATE = """\
dataset_path: json
dataset_kwargs: !function utils.DATASET
test_split: test
output_type: generate_until
doc_to_visual: !function utils.doc_to_visual
doc_to_text: !function utils.doc_to_text
doc_to_messages: !function utils.doc_to_messages
doc_to_target: answer
process_results: !function utils.process_results
num_fewshot: 0
"""
_OFFICIAL = """\
  - metric: official
    aggregation: !function utils.official_mean
    higher_is_better: true
"""
_PAGE = """\
# {title}

Data: {hub} at the Hugging Face hub; {licence}. `{variable}` names a folder with
`{questions}` and the media at {layout}.

| task | media |
|---|---|
| `{name}` | the silent video and its sound as two media, for every model that takes both |
| `{name}_soundtrack` | the video with its soundtrack inside |

`score` and `accuracy`: the option that the reply chooses is the right one, read without the gold
answer (`_task_utils/reply_reader.py`, generated); `unparsed`: none could be read; `by_video`: the
mean score, its error clustered by video; `official`: the board's own rule.
"""


def board_tree() -> dict[Path, str]:
    """Return the folders of all boards and what they share, by path in a checkout."""
    shared = (_SOURCES / "av_boards.py").read_text(encoding="utf-8")
    files = {
        **board_rules("board_rules"),
        SHARED / "av_boards.py": formatted(shared),
    }
    for board in BOARD_SETS.values():
        files |= _board_files(board)
    return files


def _board_files(board: BoardSet) -> dict[Path, str]:
    folder, name = _TASKS / board.name, board.name
    ours = read_yaml(_ROOT / "task_yamls" / "_board")
    generation = GENERATION.format(tokens=ours["generation_kwargs"]["max_new_tokens"])
    version = f"metadata:\n  version: {ours['metadata']['version']}\n"
    included = f"_{name}_template_yaml"
    names = ", ".join(f'"{one}"' for one in _FUNCTIONS)
    utils = _UTILS.format(
        title=board.title, functions=", ".join(_FUNCTIONS), names=names, name=name
    )
    files = {
        folder / "__init__.py": "",
        folder / "utils.py": formatted(utils),
        folder / "README.md": _page(board),
        folder / included: _TEMPLATE + generation + version,
    }
    for task, sound in ((name, "separate"), (f"{name}_soundtrack", "soundtrack")):
        kwargs = f"lmms_eval_specific_kwargs:\n  default:\n    sound: {sound}\n"
        head = f"include: {included}\ntask: {task}\n{kwargs}"
        files[folder / f"{task}.yaml"] = f"{head}{BY_VIDEO}{_OFFICIAL}"
    return files


def _page(board: BoardSet) -> str:
    return _PAGE.format(
        title=board.title,
        hub=board.hub,
        licence=board.licence,
        variable=board.variable.removeprefix("AURELIA_"),
        questions=board.annotations,
        layout=board.layout,
        name=board.name,
    )
