"""AVReasonBench as a folder of lmms-eval's own tasks, which needs nothing of this plugin."""

from __future__ import annotations

from pathlib import Path

from upstream_export.formatting import formatted
from upstream_export.readers import answer_readers
from upstream_export.yaml_files import BY_VIDEO, GENERATION, read_yaml

__all__ = ["FOLDER", "task_tree"]

FOLDER = Path("lmms_eval/tasks/avreasonbench")
_ROOT = Path(__file__).resolve().parents[2]
_SOURCES = Path(__file__).parent / "sources"
_TEMPLATE = """\
dataset_path: json
dataset_kwargs: !function utils.{kwargs}
test_split: test
output_type: generate_until
lmms_eval_specific_kwargs:
  default:
    benchmark: {group}
doc_to_visual: !function utils.doc_to_visual
doc_to_text: !function utils.doc_to_text
doc_to_messages: !function utils.doc_to_messages
doc_to_target: answer
process_results: !function utils.process_results
num_fewshot: 0
{generation}metadata:
  version: {version}
"""
_ROUGE = """\
  - metric: rouge_l
    aggregation: mean
    higher_is_better: true
"""
_INCLUDE = "include: _group\n"
_OWN_DATA = "custom"
_SENTENCES = ("avsd", "captioning")
_GROUPS = {"avreasonbench": "OWN", "avreasonbench_public": "PUBLIC"}


def task_tree() -> dict[Path, str]:
    """Return the folder's files by path, as upstream's formatter leaves them."""
    files = {FOLDER / "__init__.py": ""}
    files |= answer_readers(FOLDER, "scoring")
    utils = (_SOURCES / "avreasonbench_utils.py").read_text(encoding="utf-8")
    files[FOLDER / "utils.py"] = formatted(utils)
    files[FOLDER / "README.md"] = (_SOURCES / "avreasonbench.md").read_text(encoding="utf-8")
    for group in _GROUPS:
        files |= _group_files(group)
    return files


def _group_files(group: str) -> dict[Path, str]:
    ours = _ROOT / "task_yamls" / group
    template = read_yaml(ours / "_template")
    columns = _columns(ours)
    own = (ours / f"{group}.yaml").read_text(encoding="utf-8")
    tasks = "".join(f"  - {group}_{column}\n" for column in columns)
    included = f"_{group}_template_yaml"
    filled = _TEMPLATE.format(
        kwargs=_GROUPS[group],
        group=group,
        generation=GENERATION.format(tokens=template["generation_kwargs"]["max_new_tokens"]),
        version=template["metadata"]["version"],
    )
    files = {
        FOLDER / included: filled,
        FOLDER / f"{group}.yaml": own.replace(_INCLUDE, "").replace(
            f"group: {group}\n", f"group: {group}\ntask:\n{tasks}"
        ),
    }
    for column in columns:
        rouge = _ROUGE if column in _SENTENCES else ""
        files[FOLDER / f"{group}_{column}.yaml"] = (
            f"include: {included}\ntask: {group}_{column}\n"
            f"process_docs: !function utils.{column}\n{BY_VIDEO}{rouge}"
        )
    return files


def _columns(ours: Path) -> list[str]:
    """Return the group's columns; own data's is a column of this plugin's manifests alone."""
    named = read_yaml(ours / "_group")["task"]
    columns = (name.removeprefix("data.") for name in named)
    return [column for column in columns if column != _OWN_DATA]
