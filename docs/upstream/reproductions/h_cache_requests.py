"""--cache_requests with a chat model; do its requests keep what makes their messages?"""

import json
import tempfile
from pathlib import Path

from lmms_eval.api import metrics  # noqa: F401 - a task looks its metrics up
from lmms_eval.api.task import ConfigurableMessagesTask
from lmms_eval.caching import cache


def doc_to_messages(doc):
    return [{"role": "user", "content": [{"type": "text", "text": doc["question"]}]}]


def functions(folder):
    """Build the task's requests and return what makes their messages."""
    config = {
        "task": "asked",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": f"{folder}/asked.jsonl"}},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_visual": lambda doc: [],
        "doc_to_text": "{{question}}",
        "doc_to_messages": doc_to_messages,
        "doc_to_target": "answer",
        "num_fewshot": 0,
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
    }
    task = ConfigurableMessagesTask(config=config)
    task.build_all_requests(cache_requests=True)
    return [instance.args[1] for instance in task.instances]


def fixed():
    with tempfile.TemporaryDirectory() as folder:
        cache.PATH = folder
        rows = [{"question": "What?", "answer": "this"}]
        Path(folder, "asked.jsonl").write_text("\n".join(map(json.dumps, rows)))
        made = [*functions(folder), *functions(folder)]
    return all(map(callable, made))


if __name__ == "__main__":
    print("fixed upstream" if fixed() else "still so")
