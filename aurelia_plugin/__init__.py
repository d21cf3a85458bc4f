"""AURELIA test-time reasoning and AVReasonBench for lmms-eval."""

from __future__ import annotations

from pathlib import Path

__all__ = ["__version__"]

__version__ = "0.1.0"

# In a source checkout `model_wrappers` and `task_yamls` lie beside this folder; installing maps
# them below it. `python -m lmms_eval` started in a checkout finds this folder before any installed
# copy, so the mapping has to hold here too.
_checkout = Path(__file__).resolve().parent.parent
if (_checkout / "model_wrappers" / "aurelia.py").is_file():
    __path__.append(str(_checkout))
del _checkout
