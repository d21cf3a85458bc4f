"""The first stage: each tower by itself learns to tell what scenes hold.

Picture and sound have nothing to do with one another here, so the two towers are trained in two
processes at once.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from aurelia_plugin.benchmark.synthetic.render import render_sound
from aurelia_plugin.benchmark.synthetic.scene import Scene
from embedded_training.clips import TOWER_MIX, pictures, rng_of, sample_of
from embedded_training.model import hear, see
from embedded_training.perception import heads, picture_labels, sound_labels
from embedded_training.progress import Optimizers, draw_curves, load_state, log, rate_at, save_state

__all__ = ["Sense", "load_towers", "tower_of", "train_tower"]

Sense = Literal["seeing", "hearing"]
_EVERY = 50


class Plan(NamedTuple):
    """How a tower is trained: what is drawn, how much, and how fast it learns."""

    seed: int
    steps: int
    clips: int
    rate: float


def tower_of(model: Any, sense: Sense) -> Any:
    """Return the tower of one sense."""
    return model.model.visual if sense == "seeing" else model.model.audio_tower


def load_towers(model: Any, folder: Path) -> None:
    """Give the model the towers that were trained in the folder."""
    for sense in ("seeing", "hearing"):
        state = torch.load(folder / f"{sense}.pt", weights_only=True)
        tower_of(model, sense).load_state_dict(state["tower"])


def train_tower(sense: Sense, model: Any, feature_extractor: Any, plan: Plan, out: Path) -> None:
    """Train one tower; go on from its checkpoint where there is one."""
    tower = tower_of(model, sense)
    torch.manual_seed(plan.seed)
    probes = heads(sense, model.config.text_config.hidden_size)
    named = [*tower.named_parameters(), *probes.named_parameters()]
    optimizers = Optimizers([(f".{name}", weight) for name, weight in named], plan.rate)
    place = out / f"{sense}.pt"
    first, spent = 0, 0.0
    if (state := load_state(place)) is not None:
        tower.load_state_dict(state["tower"])
        probes.load_state_dict(state["heads"])
        optimizers.load_state_dict(state["optimizers"])
        first, spent = state["step"], state["seconds"]
    started, losses = time.monotonic(), []
    right: dict[str, list[float]] = defaultdict(list)
    for step in tqdm(range(first, plan.steps), initial=first, total=plan.steps, desc=sense):
        with torch.autocast("cpu", torch.bfloat16):
            if sense == "seeing":
                frames, scenes = _pictures(plan, step)
                tokens, labels_of = see(model, frames), picture_labels
            else:
                sounds, scenes = _sounds(plan, step)
                tokens, labels_of = hear(model, feature_extractor, sounds), sound_labels
            loss, shares = probes(tokens, [labels_of(scene) for scene in scenes])
        loss.backward()
        optimizers.step(rate_at(step, plan.steps))
        losses.append(float(loss.detach()))
        for name, share in shares.items():
            right[name].append(share)
        done = step + 1
        if done % _EVERY == 0 or done == plan.steps:
            seconds = spent + time.monotonic() - started
            shown = {name: round(float(np.mean(values)), 4) for name, values in right.items()}
            row = {"step": done, "loss": round(float(np.mean(losses)), 4)}
            log(out / f"{sense}.jsonl", {**row, "seconds": round(seconds), "right": shown})
            losses.clear()
            right.clear()
        if done % (4 * _EVERY) == 0 or done == plan.steps:
            state = {"tower": tower.state_dict(), "heads": probes.state_dict()}
            state |= {"optimizers": optimizers.state_dict(), "step": done, "seconds": seconds}
            save_state(place, state)
            draw_curves(out / f"{sense}.jsonl", out / f"{sense}.png")


def _drawn(plan: Plan, step: int) -> Iterator[tuple[Any, np.random.Generator]]:
    for place in range(plan.clips):
        rng = rng_of(plan.seed, step, place)
        yield sample_of(rng, TOWER_MIX), rng


def _pictures(plan: Plan, step: int) -> tuple[NDArray[np.uint8], list[Scene]]:
    scenes, frames = [], []
    for sample, rng in _drawn(plan, step):
        scenes.append(sample.scene)
        frames.append(pictures(sample.scene, rng))
    return np.stack(frames), scenes


def _sounds(plan: Plan, step: int) -> tuple[list[NDArray[np.float32]], list[Scene]]:
    scenes = []
    for sample, rng in _drawn(plan, step):
        heard = sample.candidates or (sample.scene,)
        scenes.append(heard[int(rng.integers(len(heard)))])
    return [render_sound(scene) for scene in scenes], scenes
