"""An auxiliary head for time: which half second of the picture each picture token shows.

A picture token says what is there and not when; its moment is only its place among the tokens.
A question about a moment by its name learns late to read places, so a linear head, thrown away
afterwards, asks the first layer for the half second of every picture token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from embedded_training.model import GRID, VIDEO_TOKENS
from embedded_training.packing import Packed

__all__ = ["TemporalHead"]

_WEIGHT = 0.5


class TemporalHead(nn.Module):
    """A head on what the first layer makes of picture tokens."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self._video = model.config.video_token_id
        self.steps = nn.Linear(model.config.text_config.hidden_size, GRID[0])
        self._said = torch.zeros(0)
        model.model.language_model.layers[0].register_forward_hook(self._note)

    def _note(self, _layer: Any, _given: Any, said: Any) -> None:
        self._said = said[0] if isinstance(said, tuple) else said

    def forward(self, trees: Sequence[Packed]) -> torch.Tensor:
        """Return the loss of the trees that the model was just given together, summed over them."""
        total = torch.zeros(())
        for row, tree in enumerate(trees):
            seeing = np.flatnonzero(tree.ids == self._video)
            if len(seeing):
                shown = self.steps(self._said[row, torch.from_numpy(seeing)]).float()
                steps = torch.from_numpy(tree.rank[seeing] * GRID[0] // VIDEO_TOKENS)
                total = total + _WEIGHT * nn.functional.cross_entropy(shown, steps)
        return total
