"""The fault suite: `python tests/faults` runs all of it and prints its counts."""

import sys
from pathlib import Path

# The servers that play services are found whether this runs under pytest or by itself.
sys.path.insert(0, str(Path(__file__).parents[1] / "model_wrappers"))
