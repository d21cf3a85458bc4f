"""The second stage: the thinker learns all parts, and the towers stay as they are.

Two processes of one thread each, on their own clips; gradients are averaged. On two cores, threads
that wait for one another cost most of the time.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
import torch.distributed
from numpy.typing import NDArray
from tqdm import tqdm

from aurelia_plugin.reasoning.prompting import PromptSet
from embedded_training.clips import Clip, Parts, clips, text_only
from embedded_training.exchange import ROLES
from embedded_training.model import SOUND_TOKENS, VIDEO_TOKENS, hear, positions, see
from embedded_training.packing import Packed, Packer
from embedded_training.progress import Optimizers, draw_curves, load_state, log, rate_at, save_state
from embedded_training.temporal_head import TemporalHead

__all__ = ["Phase", "Plan", "logits_of", "packer_of", "perceive", "train_thinker"]

_EVERY = 50
_PADDING = 1.3
"""How much longer than its shortest tree a group's longest may be."""
_TOKENS = 5000
"""Tokens of a group at most, padding included."""


class Phase(NamedTuple):
    """What is learnt for a while.

    Attributes:
        steps: how long.
        texts: of each step and process: how many of which kind (see `clips.text_only`).
        clips: of each step and process.
        parts: what is asked about them (see `clips.clips`).
        asked: more clips of each step and process, that are only answered directly.
        mix: which mix these are of.
    """

    steps: int
    texts: Mapping[str, int]
    clips: int = 0
    parts: Parts = "all"
    asked: int = 0
    mix: Literal["direct", "last"] = "direct"


class Plan(NamedTuple):
    """How the thinker is trained: `stage` names the files."""

    stage: str
    seed: int
    phases: tuple[Phase, ...]
    rate: float

    @property
    def steps(self) -> int:
        """How many there are in all."""
        return sum(phase.steps for phase in self.phases)

    def phase(self, step: int) -> Phase:
        """Return what is learnt in a step."""
        for phase in self.phases:
            if step < phase.steps:
                return phase
            step -= phase.steps
        raise IndexError(step)


class Perceived(NamedTuple):
    """What the towers make of clips: `seen` `[videos * 32, width]`, `heard` `[sounds * 32, width]`.

    `video` and `sound` tell where a clip's own begin.
    """

    seen: torch.Tensor
    heard: torch.Tensor
    video: list[int]
    sound: list[int]


def packer_of(model: Any, processor: Any) -> Packer:
    """Return what turns clips into trees of the model's tokens."""
    return Packer(
        processor, lambda tokens: positions(model, tokens), VIDEO_TOKENS, SOUND_TOKENS, ROLES
    )


def perceive(model: Any, feature_extractor: Any, made: Sequence[Clip]) -> Perceived:
    """Look at and listen to each clip once."""
    frames = [clip.frames for clip in made if clip.frames is not None]
    sounds = [sound for clip in made for sound in clip.sounds]
    width = model.config.text_config.hidden_size
    with torch.no_grad():
        seen = see(model, np.stack(frames)) if frames else torch.zeros(0, width)
        heard = hear(model, feature_extractor, sounds) if sounds else torch.zeros(0, width)
    has_video = [int(clip.frames is not None) for clip in made]
    counts = [len(clip.sounds) for clip in made]
    return Perceived(
        seen.reshape(-1, width),
        heard.reshape(-1, width),
        [int(k) for k in np.cumsum([0, *has_video])[:-1]],
        [int(k) for k in np.cumsum([0, *counts])[:-1]],
    )


def groups(packed: Sequence[Packed]) -> Iterator[list[int]]:
    """Yield the places of trees of similar length, so that little is padded."""
    order = sorted(range(len(packed)), key=lambda k: len(packed[k].ids))
    group: list[int] = []
    for place in order:
        length = len(packed[place].ids)
        if group and (
            length > _PADDING * len(packed[group[0]].ids) or length * (len(group) + 1) > _TOKENS
        ):
            yield group
            group = []
        group.append(place)
    if group:
        yield group


def logits_of(
    model: Any, packed: Sequence[Packed], perceived: Perceived, group: Sequence[int]
) -> torch.Tensor:
    """Return the logits `[m, vocabulary]` of every token of a group that is to be predicted."""
    longest = max(len(packed[k].ids) for k in group)
    size = len(group)
    ids = torch.zeros(size, longest, dtype=torch.long)
    places = torch.zeros(3, size, longest, dtype=torch.long)
    mask = torch.full((size, 1, longest, longest), float("-inf"))
    mask[:, 0].diagonal(dim1=1, dim2=2).zero_()
    video_at: list[NDArray[Any]] = []
    video_from: list[NDArray[Any]] = []
    sound_at: list[NDArray[Any]] = []
    sound_from: list[NDArray[Any]] = []
    sources = []
    video_id = model.config.video_token_id
    for row, k in enumerate(group):
        tree, count = packed[k], len(packed[k].ids)
        ids[row, :count] = torch.from_numpy(tree.ids)
        places[:, row, :count] = torch.from_numpy(tree.positions)
        mask[row, 0, :count, :count].masked_fill_(torch.from_numpy(tree.mask), 0.0)
        seeing = np.flatnonzero(tree.ids == video_id)
        video_at.append(row * longest + seeing)
        video_from.append(perceived.video[k] * VIDEO_TOKENS + tree.rank[seeing])
        hearing = np.flatnonzero(tree.sound >= 0)
        sound_at.append(row * longest + hearing)
        sound_from.append(
            (perceived.sound[k] + tree.sound[hearing]) * SOUND_TOKENS + tree.rank[hearing]
        )
        sources.append(row * longest + tree.sources)
    flat = model.get_input_embeddings()(ids).reshape(size * longest, -1)
    for at, taken, tokens in (
        (video_at, video_from, perceived.seen),
        (sound_at, sound_from, perceived.heard),
    ):
        where = torch.from_numpy(np.concatenate(at))
        flat = flat.index_copy(
            0, where, tokens[torch.from_numpy(np.concatenate(taken))].to(flat.dtype)
        )
    hidden = model.model.language_model(
        inputs_embeds=flat.view(size, longest, -1),
        position_ids=places,
        attention_mask=mask,
        use_cache=False,
    ).last_hidden_state
    chosen = hidden.reshape(size * longest, -1)[torch.from_numpy(np.concatenate(sources))]
    logits: torch.Tensor = model.lm_head(chosen)
    return logits


class Scores:
    """Running shares of replies that are wholly right, of fresh batches before they are learnt."""

    def __init__(self) -> None:
        self._right: dict[str, float] = defaultdict(float)
        self._all: dict[str, float] = defaultdict(float)

    def add(self, clip: Clip, tree: Packed, hits: NDArray[Any]) -> None:
        """Count a tree's replies by part, and by part and column: right is every token."""
        ends = np.flatnonzero(np.diff(tree.exchanges, append=-1))
        starts = np.concatenate(([0], ends[:-1] + 1))
        for start, hit in zip(starts, np.logical_and.reduceat(hits, starts), strict=True):
            role = ROLES[tree.roles[start]]
            for key in (role, f"{role}/{clip.column}"):
                self._right[key] += float(hit)
                self._all[key] += 1.0

    def take(self) -> dict[str, float]:
        """Return the accuracies and start again."""
        shares = {key: round(self._right[key] / self._all[key], 4) for key in sorted(self._all)}
        self._right.clear()
        self._all.clear()
        return shares


class Learner:
    """The thinker in one of the processes."""

    def __init__(self, model: Any, processor: Any, plan: Plan, rank: int, processes: int) -> None:
        self.model, self.plan = model, plan
        self._feature_extractor = processor.feature_extractor
        self._packer = packer_of(model, processor)
        self._prompts = PromptSet("default", "embedded")
        self._rank, self._processes = rank, processes
        for tower in (model.model.visual, model.model.audio_tower):
            tower.requires_grad_(False)
        torch.manual_seed(plan.seed)
        self.temporal_head = TemporalHead(model)
        named = [*model.named_parameters(), *self.temporal_head.named_parameters()]
        self.optimizers = Optimizers([(n, w) for n, w in named if w.requires_grad], plan.rate)
        self.scores = Scores()

    def _drawn(self, step: int) -> list[Clip]:
        plan, phase = self.plan, self.plan.phase(step)
        first = self._rank * phase.clips
        seen = clips(plan.seed, step, first, phase.clips, self._prompts, phase.parts)
        first = self._rank * phase.asked
        asked = clips(plan.seed, step, first, phase.asked, self._prompts, phase.mix)
        first = self._rank * sum(phase.texts.values())
        told = text_only(plan.seed, step, plan.stage, first, phase.texts, self._prompts)
        return [*seen, *asked, *told]

    def step(self, step: int) -> float:
        """Learn from one step's clips; return the loss."""
        made = self._drawn(step)
        packed = [self._packer(clip) for clip in made]
        total = 0.0
        with torch.autocast("cpu", torch.bfloat16):
            perceived = perceive(self.model, self._feature_extractor, made)
        for group in groups(packed):
            with torch.autocast("cpu", torch.bfloat16):
                logits = logits_of(self.model, packed, perceived, group).float()
                moments = self.temporal_head([packed[k] for k in group])
            targets = torch.from_numpy(np.concatenate([packed[k].targets for k in group]))
            weights = torch.from_numpy(np.concatenate([packed[k].weights for k in group]))
            losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
            loss = ((losses * weights).sum() / 10.0 + moments) / len(made)
            loss.backward()
            total += float(loss.detach())
            hits = (logits.argmax(-1) == targets).numpy()
            ends = np.cumsum([len(packed[k].targets) for k in group])
            for k, part in zip(group, np.split(hits, ends[:-1]), strict=True):
                self.scores.add(made[k], packed[k], part)
        if self._processes > 1:
            self._average()
        self.optimizers.step(rate_at(step, self.plan.steps))
        return total

    def _average(self) -> None:
        """Replace every gradient by its mean over the processes."""
        weights = self.optimizers.weights
        grads = [w.grad if w.grad is not None else torch.zeros_like(w) for w in weights]
        flat = torch.cat([grad.reshape(-1) for grad in grads])
        torch.distributed.all_reduce(flat)
        flat /= self._processes
        for weight, part in zip(weights, flat.split([w.numel() for w in weights]), strict=True):
            weight.grad = part.view_as(weight)


def train_thinker(
    rank: int, processes: int, model: Any, processor: Any, plan: Plan, out: Path
) -> None:
    """Train the thinker; go on from its checkpoint where there is one."""
    learner = Learner(model, processor, plan, rank, processes)
    place = out / f"{plan.stage}.pt"
    first, spent = 0, 0.0
    if (state := load_state(place)) is not None:
        model.load_state_dict(state["model"])
        learner.optimizers.load_state_dict(state["optimizers"])
        learner.temporal_head.load_state_dict(state["temporal_head"])
        first, spent = state["step"], state["seconds"]
    started, losses = time.monotonic(), []
    steps = range(first, plan.steps)
    for step in tqdm(steps, initial=first, total=plan.steps, desc=plan.stage, disable=rank > 0):
        losses.append(learner.step(step))
        done = step + 1
        if rank > 0:
            continue
        seconds = spent + time.monotonic() - started
        if done % _EVERY == 0 or done == plan.steps:
            row: dict[str, Any] = {"step": done, "loss": round(float(np.mean(losses)), 4)}
            row |= {"seconds": round(seconds), "right": learner.scores.take()}
            log(out / f"{plan.stage}.jsonl", row)
            losses.clear()
        if done % (2 * _EVERY) == 0 or done == plan.steps:
            state = {"model": model.state_dict(), "optimizers": learner.optimizers.state_dict()}
            state |= {
                "temporal_head": learner.temporal_head.state_dict(),
                "step": done,
                "seconds": seconds,
            }
            save_state(place, state)
            draw_curves(out / f"{plan.stage}.jsonl", out / f"{plan.stage}.png")
