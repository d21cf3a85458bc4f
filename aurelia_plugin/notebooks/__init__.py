"""Runs and studies in notebooks: their figures as tables, their questions with traces and media."""

from __future__ import annotations

from aurelia_plugin.notebooks.opening import open_run, open_study
from aurelia_plugin.notebooks.questions import Answer, Question
from aurelia_plugin.notebooks.results import Results

__all__ = ["Answer", "Question", "Results", "open_run", "open_study"]
