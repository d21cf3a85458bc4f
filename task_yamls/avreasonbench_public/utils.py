"""What the YAML files call."""

from __future__ import annotations

from aurelia_plugin.benchmark.data.home import PUBLIC
from aurelia_plugin.benchmark.tasks import TaskFunctions

__all__ = [
    "doc_to_messages",
    "doc_to_target",
    "doc_to_text",
    "doc_to_visual",
    "process_candidate",
    "process_results",
]

_functions = TaskFunctions(PUBLIC)
doc_to_messages = _functions.doc_to_messages
doc_to_target = _functions.doc_to_target
doc_to_text = _functions.doc_to_text
doc_to_visual = _functions.doc_to_visual
process_candidate = _functions.process_candidate
process_results = _functions.process_results
