"""Synthetic audio-visual clips with questions whose answers follow from the scene.

`make` draws one question without touching a file; `render` turns its scene into arrays;
`folder` writes a whole benchmark once and returns where it is.
"""

from __future__ import annotations

from aurelia_plugin.benchmark.synthetic.build import folder
from aurelia_plugin.benchmark.synthetic.columns import Sample, make
from aurelia_plugin.benchmark.synthetic.render import Rendered, render
from aurelia_plugin.benchmark.synthetic.scene import HELD_OUT, Scene, held_out

__all__ = ["HELD_OUT", "Rendered", "Sample", "Scene", "folder", "held_out", "make", "render"]
