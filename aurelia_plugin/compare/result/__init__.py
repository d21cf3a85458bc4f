"""The one result object of a comparison; every table, plot, page and export is made from it.

Units: scores, shares, gains and bounds are fractions (0.1 is ten points), relative gains too
(0.25 is +25%, the paper's form), seconds are seconds, costs are US dollars. None means that it is
not known or not defined, never zero.
"""

from __future__ import annotations

from aurelia_plugin.compare.result.audits import (
    Audits,
    Discrimination,
    LeakAudit,
    LeakSample,
    ModalityAudit,
    PositionAudit,
    Saturation,
)
from aurelia_plugin.compare.result.comparison import COMPARISON, RESULT_SCHEMA, Comparison, Method
from aurelia_plugin.compare.result.figures import Contrast, Figure, Verdict
from aurelia_plugin.compare.result.items import ArmAnswer, ItemRow
from aurelia_plugin.compare.result.parts import Change, EstimateMethod, Interval, Leak, ScopeKind
from aurelia_plugin.compare.result.published import BoardPlace, BoardRow, ReportedFigure
from aurelia_plugin.compare.result.runs import RunInfo, TaskInfo

__all__ = [
    "COMPARISON",
    "RESULT_SCHEMA",
    "ArmAnswer",
    "Audits",
    "BoardPlace",
    "BoardRow",
    "Change",
    "Comparison",
    "Contrast",
    "Discrimination",
    "EstimateMethod",
    "Figure",
    "Interval",
    "ItemRow",
    "Leak",
    "LeakAudit",
    "LeakSample",
    "Method",
    "ModalityAudit",
    "PositionAudit",
    "ReportedFigure",
    "RunInfo",
    "Saturation",
    "ScopeKind",
    "TaskInfo",
    "Verdict",
]
