"""The functions that the YAML files of `avreasonbench` and `avreasonbench_public` name."""

from __future__ import annotations

from typing import Any

from aurelia_plugin.benchmark.data.candidates import candidate_results
from aurelia_plugin.benchmark.data.documents import media_paths, question_text, user_turn
from aurelia_plugin.benchmark.data.home import Benchmark, require_item
from aurelia_plugin.benchmark.data.table import item_of_row
from aurelia_plugin.benchmark.judging import chosen_judge
from aurelia_plugin.benchmark.results import item_results

__all__ = ["TaskFunctions"]

Doc = dict[str, Any]


class TaskFunctions:
    """What the harness calls for the tasks of one benchmark; a document is one item."""

    def __init__(self, benchmark: Benchmark) -> None:
        self._benchmark = benchmark

    def doc_to_text(self, doc: Doc, lmms_eval_specific_kwargs: dict[str, Any] | None = None) -> str:
        """Return the question, its options if any, and the form of the answer.

        The harness calls it once when it loads a task, so faults are raised here: elsewhere it
        would try five times and hide the message.

        Raises:
            ConfigError: the manifest has no item for the task, or the judge cannot be used.
        """
        chosen_judge()
        return question_text(require_item(self._benchmark, item_of_row(doc)))

    def doc_to_visual(self, doc: Doc) -> list[str]:
        """Return the absolute paths of the video and of all separate sounds, in order.

        Beside separate sounds the video is given without its own: it would be heard twice, or
        give the answer away.

        Raises:
            MediaError: the video cannot be read.
        """
        return media_paths(item_of_row(doc), self._benchmark.folder(), own_sound=False)

    def doc_to_messages(
        self, doc: Doc, lmms_eval_specific_kwargs: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Return one user turn: the video, each numbered sound after its name, the question.

        The video is that of `doc_to_visual`.
        """
        return user_turn(item_of_row(doc), self._benchmark.folder(), own_sound=False)

    def doc_to_target(self, doc: Doc) -> str:
        """Return the gold answer."""
        return item_of_row(doc).answer

    def process_results(self, doc: Doc, results: list[str]) -> dict[str, Any]:
        """Score the reply; the keys are those of `results.item_results`."""
        return item_results(item_of_row(doc), results[0])

    def process_candidate(self, doc: Doc, results: list[str]) -> dict[str, Any]:
        """Read the rating of one candidate sound of a DM-Match question."""
        return candidate_results(item_of_row(doc), results[0])
