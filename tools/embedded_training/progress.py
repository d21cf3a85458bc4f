"""What all stages of training share: rates, optimizers, checkpoints, the log and its picture."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

__all__ = ["Optimizers", "draw_curves", "load_state", "log", "rate_at", "save_state"]


def rate_at(step: int, total: int, warm: int = 100, decay: float = 0.25) -> float:
    """Return the share of the peak rate: warm-up, level, and a fall to 1% over the last part."""
    if step < warm:
        return (step + 1) / warm
    left = (total - step) / (decay * total)
    return max(min(1.0, left), 0.01)


class Optimizers:
    """Muon for the matrices inside the layers, at twice the rate, and AdamW for all the rest."""

    def __init__(self, named: Iterable[tuple[str, Any]], rate: float) -> None:
        matrices: list[Any] = []
        rest: list[Any] = []
        for name, weight in named:
            inside = ".layers." in name or ".blocks." in name
            (matrices if inside and weight.ndim == 2 else rest).append(weight)
        self.weights = [*matrices, *rest]
        muon = torch.optim.Muon(
            matrices, lr=2 * rate, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"
        )
        adam = torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
        self._peaks = ((muon, 2 * rate), (adam, rate))

    def step(self, share: float) -> None:
        """Clip the gradients at 1, follow them at a share of the peak rates, forget them."""
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        for optimizer, peak in self._peaks:
            for group in optimizer.param_groups:
                group["lr"] = peak * share
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state_dict(self) -> list[Any]:
        """Return the state of both."""
        return [optimizer.state_dict() for optimizer, _ in self._peaks]

    def load_state_dict(self, states: list[Any]) -> None:
        """Go on from a state."""
        for (optimizer, _), state in zip(self._peaks, states, strict=True):
            optimizer.load_state_dict(state)


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write a checkpoint as a whole or not at all."""
    made = path.with_suffix(".tmp")
    torch.save(dict(state), made)
    os.replace(made, path)


def load_state(path: Path) -> dict[str, Any] | None:
    """Return a checkpoint, or None if there is none yet."""
    if not path.is_file():
        return None
    state: dict[str, Any] = torch.load(path, weights_only=True)
    return state


def log(path: Path, row: Mapping[str, Any]) -> None:
    """Add a row to the log."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def draw_curves(path: Path, image: Path) -> None:
    """Draw loss (black, logarithmic) and every share that is right over the steps of a log."""
    from PIL import Image, ImageDraw

    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if len(rows) < 2:
        return
    names = sorted({name for row in rows for name in row["right"] if "/" not in name})
    wide, high, edge = 900, max(420, 100 + 18 * len(names)), 50
    canvas = Image.new("RGB", (wide + 160, high), "white")
    pen = ImageDraw.Draw(canvas)
    last = rows[-1]["step"]
    logs = [math.log10(row["loss"]) for row in rows]
    low, span = min(logs), max(max(logs) - min(logs), 1e-6)

    def line(values: list[float], colour: tuple[int, int, int]) -> None:
        points = [
            (edge + (wide - edge) * row["step"] / last, high - edge - (high - 2 * edge) * value)
            for row, value in zip(rows, values, strict=True)
        ]
        pen.line(points, fill=colour, width=2)

    pen.rectangle((edge, edge, wide, high - edge), outline="grey")
    line([(value - low) / span for value in logs], (0, 0, 0))
    pen.text((wide + 8, 20), f"loss {rows[0]['loss']:.2f}..{rows[-1]['loss']:.2f}", fill="black")
    for place, name in enumerate(names):
        colour = (37 * place % 200, 91 * place % 220, 151 * (place + 1) % 230)
        line([row["right"].get(name, 0.0) for row in rows], colour)
        text = f"{name} {rows[-1]['right'].get(name, 0.0):.3f}"
        pen.text((wide + 8, edge + 18 * place), text, fill=colour)
    pen.text((edge, 20), "loss (log) and share right (0..1) on fresh clips", fill="black")
    pen.text((edge, high - 30), f"steps 0..{last}", fill="black")
    canvas.save(image)
