"""A task that knows nothing of this plugin: its metric is a record of answer and prediction."""

from __future__ import annotations

from typing import Any

Doc = dict[str, Any]


def doc_to_visual(doc: Doc) -> list[Any]:
    return []


def doc_to_text(doc: Doc) -> str:
    return f"{doc['question']}\nA. yes\nB. no\nC. neither"


def process_results(doc: Doc, results: list[str]) -> dict[str, Any]:
    record = {"videoID": doc["video"], "task_category": doc["kind"], "answer": doc["answer"]}
    return {"perception_score": {**record, "pred_answer": results[0].strip()[:1]}}


def aggregate(results: list[Doc]) -> float:
    return sum(one["answer"] == one["pred_answer"] for one in results) / len(results)
