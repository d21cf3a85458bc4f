"""Train the embedded model from nothing: `python tools/train_embedded.py --out FOLDER`.

A run is a pure function of its seed and the number of steps. Killed, it goes on from its last
checkpoint when it is started again with the same folder.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed
import torch.multiprocessing
from embedded_training import architecture
from embedded_training.clips import Clip, clips, texts
from embedded_training.packing import Packed, Packer
from embedded_training.texts import ROLES
from tqdm import tqdm

from aurelia_plugin.model_wrappers.embedded.chat import SPECIAL
from aurelia_plugin.reasoning.prompting import PromptSet

VIDEO_TOKENS, SOUND_TOKENS = 32, 32
GRID = (8, 4, 4)
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)
Batch = dict[str, Any]


def prompt_positions(model: Any, tokens: list[int]) -> np.ndarray[Any, Any]:
    """Return the model's own positions `[3, n]` of a prompt's first part."""
    ids = torch.tensor([tokens])
    sounds = int((ids == model.config.audio_start_token_id).sum())
    videos = int((ids == model.config.vision_start_token_id).sum())
    if not videos:
        return np.tile(np.arange(len(tokens)), (3, 1))
    positions, _ = model.model.get_rope_index(
        ids,
        None,
        torch.tensor([GRID]),
        torch.ones_like(ids),
        False,
        torch.tensor([128] * sounds),
        torch.tensor([0.5]),
    )
    return np.asarray(positions[:, 0].numpy())


def patches(frames: np.ndarray[Any, Any]) -> torch.Tensor:
    """Return what the video processor makes of frames uint8 [b, 32, 56, 56, 3]: [b * 128, 2352]."""
    count, (steps, high, wide) = len(frames), GRID
    scaled = (torch.from_numpy(frames).float() / 255.0 - torch.from_numpy(MEAN)) / torch.from_numpy(
        STD
    )
    cut = scaled.view(
        count, steps, architecture.TEMPORAL_PATCH, high // 2, 2, 14, wide // 2, 2, 14, 3
    )
    order = cut.permute(0, 1, 3, 6, 4, 7, 9, 2, 5, 8)
    return order.reshape(count * steps * high * wide, -1)


def collate(made: list[Clip], packed: list[Packed], ears: Any) -> Batch:
    """Return one batch of arrays; trees are padded at their end."""
    longest = max(len(tree.ids) for tree in packed)
    size = len(packed)
    mask = np.zeros((size, 1, longest, longest), dtype=bool)
    mask[:, 0, range(longest), range(longest)] = True
    batch: Batch = {
        "ids": np.zeros((size, longest), dtype=np.int64),
        "positions": np.zeros((3, size, longest), dtype=np.int64),
        "mask": mask,
        "video_at": [],
        "sound_at": [],
    }
    pairs: dict[str, list[Any]] = defaultdict(list)
    offset = 0
    for row, (clip, tree) in enumerate(zip(made, packed, strict=True)):
        count = len(tree.ids)
        batch["ids"][row, :count] = tree.ids
        batch["positions"][:, row, :count] = tree.positions
        mask[row, 0, :count, :count] = tree.mask
        pairs["at"].append(row * longest + tree.sources)
        pairs["columns"].append(np.full(len(tree.sources), row))
        for name in ("targets", "weights", "roles"):
            pairs[name].append(getattr(tree, name))
        sounding = np.flatnonzero(tree.sound >= 0)
        batch["sound_at"].append(
            np.stack(
                [
                    row * longest + sounding,
                    (offset + tree.sound[sounding]) * SOUND_TOKENS + tree.rank[sounding],
                ]
            )
        )
        offset += len(clip.sounds)
    batch |= {name: np.concatenate(values) for name, values in pairs.items()}
    batch["sound_at"] = np.concatenate(batch["sound_at"], axis=1)
    batch["frames"] = np.stack([clip.frames for clip in made])
    batch["column_names"] = [clip.column for clip in made]
    heard = ears(
        [sound for clip in made for sound in clip.sounds],
        sampling_rate=16_000,
        padding="max_length",
        return_attention_mask=True,
        return_tensors="np",
    )
    batch["mel"], batch["mel_mask"] = heard["input_features"], heard["attention_mask"]
    return batch


class Maker:
    """Makes batches."""

    def __init__(self, seed: int, packer: Packer, looking: int) -> None:
        self._seed, self._packer, self._looking = seed, packer, looking
        self._prompts = PromptSet("default", "embedded")

    def __call__(self, step: int, first: int, count: int) -> Batch:
        """Return the batch of one step's clips from `first` on."""
        made = clips(self._seed, step, first, count, self._prompts, looking=step < self._looking)
        ears = self._packer.processor.feature_extractor
        return collate(made, [self._packer(clip) for clip in made], ears)


def _batched(
    _module: Any, query: Any, key: Any, value: Any, *, scaling: float, **given: Any
) -> tuple[torch.Tensor, None]:
    """Attend within chunks of equal length, all chunks at once; [1, heads, n, d] -> [1, n, ...]."""
    length = int(given["max_length_q"])
    heads, total, width = query.shape[1:]
    cut = [
        x[0].view(heads, total // length, length, width).transpose(0, 1)
        for x in (query, key, value)
    ]
    out = torch.nn.functional.scaled_dot_product_attention(*cut, scale=scaling)
    return out.transpose(1, 2).reshape(1, total, heads, width), None


def quicken(model: Any) -> None:
    """Let the towers attend to all chunks in one call: clips are of one length here."""
    from transformers import AttentionInterface

    AttentionInterface.register("flash_batched", _batched)
    for tower in (model.model.visual, model.model.audio_tower):
        tower.config._attn_implementation = "flash_batched"


def embeddings(model: Any, batch: Batch) -> torch.Tensor:
    """Return the trees' input embeddings; each clip is seen and heard once."""
    inner = model.model
    ids = torch.from_numpy(batch["ids"])
    embeds = model.get_input_embeddings()(ids)
    count = len(ids)
    grid = torch.tensor([GRID] * count)
    seen = inner.visual(patches(batch["frames"]), grid_thw=grid).pooler_output
    if isinstance(seen, tuple | list):
        seen = torch.cat(list(seen))
    heard = inner.get_audio_features(
        torch.from_numpy(batch["mel"]),
        torch.from_numpy(batch["mel_mask"]).long(),
        return_dict=True,
    ).last_hidden_state
    flat = embeds.reshape(-1, embeds.shape[-1])
    video_id, sound_at = model.config.video_token_id, torch.from_numpy(batch["sound_at"])
    where = torch.nonzero((ids == video_id).reshape(-1)).squeeze(1)
    # A tree may hold its clip's video twice (media are named in some prompts): in order each time.
    rows = where // ids.shape[1]
    ranks = torch.zeros_like(where)
    for row in range(count):
        own = rows == row
        ranks[own] = torch.arange(int(own.sum())) % VIDEO_TOKENS
    flat = flat.index_copy(0, where, seen.to(flat.dtype)[rows * VIDEO_TOKENS + ranks])
    flat = flat.index_copy(0, sound_at[0], heard.to(flat.dtype)[sound_at[1]])
    return flat.view(embeds.shape)


class Scores:
    """Running token accuracies of fresh batches, before they are trained on."""

    def __init__(self) -> None:
        self.right: dict[str, float] = defaultdict(float)
        self.all: dict[str, float] = defaultdict(float)

    def add(self, batch: Batch, hits: np.ndarray[Any, Any]) -> None:
        """Count the hits by part, and by part and column."""
        names = np.array(batch["column_names"])[batch["columns"]]
        for role, column, hit in zip(batch["roles"], names, hits, strict=True):
            for key in (ROLES[role], f"{ROLES[role]}/{column}"):
                self.right[key] += float(hit)
                self.all[key] += 1.0

    def take(self) -> dict[str, float]:
        """Return the accuracies and start again."""
        out = {key: round(self.right[key] / self.all[key], 4) for key in sorted(self.all)}
        self.__init__()  # type: ignore[misc]
        return out


def logits_of(model: Any, batch: Batch) -> torch.Tensor:
    """Return the logits `[m, vocabulary]` of every token that is to be predicted."""
    hidden = model.model.language_model(
        inputs_embeds=embeddings(model, batch),
        position_ids=torch.from_numpy(batch["positions"]),
        attention_mask=torch.from_numpy(batch["mask"]),
        use_cache=False,
    ).last_hidden_state
    at = torch.from_numpy(batch["at"])
    logits: torch.Tensor = model.lm_head(hidden.reshape(-1, hidden.shape[-1])[at])
    return logits


def loss_of(model: Any, batch: Batch, scores: Scores) -> torch.Tensor:
    """Return the weighted sum of the cross-entropy of a batch's replies."""
    with torch.autocast("cpu", torch.bfloat16):
        logits = logits_of(model, batch)
    logits = logits.float()
    targets, weights = torch.from_numpy(batch["targets"]), torch.from_numpy(batch["weights"])
    losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    scores.add(batch, (logits.argmax(-1) == targets).numpy())
    return (losses * weights).sum()


def optimizers(model: Any, rate: float, muon: float) -> list[torch.optim.Optimizer]:
    """Return Muon for the matrices inside the layers and AdamW for all the rest."""
    matrices, rest = [], []
    for name, weight in model.named_parameters():
        inside = ".layers." in name or ".blocks." in name
        (matrices if muon and inside and weight.ndim == 2 else rest).append(weight)
    if not muon:
        return [torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.01)]
    by_muon = torch.optim.Muon(
        matrices, lr=muon * rate, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"
    )
    return [by_muon, torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.01)]


def rate_at(step: int, total: int, warm: int = 100, decay: float = 0.25) -> float:
    """Return the share of the peak rate: warm-up, level, and a fall to 1% over the last part."""
    if step < warm:
        return (step + 1) / warm
    left = (total - step) / (decay * total)
    return max(min(1.0, left), 0.01)


def draw_curve(log: Path, image: Path) -> None:
    """Draw loss (black, logarithmic) and every part's token accuracy over steps."""
    from PIL import Image, ImageDraw

    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    if len(rows) < 2:
        return
    wide, high, edge = 900, 420, 50
    canvas = Image.new("RGB", (wide + 130, high), "white")
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
    for place, role in enumerate(ROLES):
        colour = (37 * place % 200, 91 * place % 220, 151 * (place + 1) % 230)
        line([row["tokens"].get(role, 0.0) for row in rows], colour)
        text = f"{role} {rows[-1]['tokens'].get(role, 0.0):.3f}"
        pen.text((wide + 8, edge + 22 * place), text, fill=colour)
    pen.text((edge, 20), "loss (log) and token accuracy (0..1) on fresh clips", fill="black")
    pen.text((edge, high - 30), f"steps 0..{last}", fill="black")
    canvas.save(image)


def build(seed: int, kept: Path) -> tuple[Any, Any]:
    """Return an untrained model and its processor, which is that of `kept` where it was kept.

    A run that goes on must not train its tokenizer again: a text that changed would shift all ids.
    """
    from transformers import (
        AutoProcessor,
        GenerationConfig,
        Qwen2_5OmniThinkerForConditionalGeneration,
    )

    prompts = PromptSet("default", "embedded")
    if (kept / "tokenizer.json").is_file():
        processor = AutoProcessor.from_pretrained(kept)
    else:
        processor = architecture.processor(texts(seed, 2500, prompts))
    convert = processor.tokenizer.convert_tokens_to_ids
    ids = {token: convert(token) for token in SPECIAL}
    torch.manual_seed(seed)
    model = Qwen2_5OmniThinkerForConditionalGeneration(
        architecture.config(ids, len(processor.tokenizer))
    )
    model.generation_config = GenerationConfig(
        do_sample=False, eos_token_id=ids["<|im_end|>"], pad_token_id=ids["<|endoftext|>"]
    )
    return model, processor


def train(rank: int, args: argparse.Namespace) -> None:
    """Train in one of several processes, each on its own clips; gradients are averaged.

    One thread each: on two busy cores, threads that wait for one another cost most of the time.
    """
    torch.set_num_threads(1)
    store = torch.distributed.FileStore(str(args.meeting / "meeting"), args.processes)
    torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=args.processes)
    model, processor = build(args.seed, args.out / "model")
    quicken(model)
    both = optimizers(model, args.rate, args.muon)
    peaks = [args.muon * args.rate, args.rate] if args.muon else [args.rate]
    first, spent = 0, 0.0
    checkpoint = args.out / "checkpoint.pt"
    if checkpoint.is_file():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        for optimizer, kept in zip(both, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        first, spent = state["step"], state["seconds"]
    packer = Packer(
        processor, lambda tokens: prompt_positions(model, tokens), VIDEO_TOKENS, SOUND_TOKENS, ROLES
    )
    maker = Maker(args.seed, packer, args.looking)
    started, scores, losses = time.monotonic(), Scores(), []
    model.train()
    weights = list(model.parameters())
    for step in tqdm(range(first, args.steps), initial=first, total=args.steps, disable=rank > 0):
        batch = maker(step, rank * args.clips, args.clips)
        loss = loss_of(model, batch, scores) / (10.0 * args.clips)
        loss.backward()
        average(weights, args.processes)
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        share = rate_at(step, args.steps)
        for optimizer, peak in zip(both, peaks, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * share
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        losses.append(float(loss.detach()))
        seconds = spent + time.monotonic() - started
        if rank == 0 and ((step + 1) % 50 == 0 or step + 1 == args.steps):
            row = {
                "step": step + 1,
                "loss": round(float(np.mean(losses)), 4),
                "seconds": round(seconds),
                "tokens": scores.take(),
            }
            with (args.out / "log.jsonl").open("a") as file:
                file.write(json.dumps(row) + "\n")
            losses.clear()
        if rank == 0 and ((step + 1) % 100 == 0 or step + 1 == args.steps):
            save(args.out, model, processor, both, step + 1, seconds)
            draw_curve(args.out / "log.jsonl", args.out / "loss.png")
    torch.distributed.destroy_process_group()


def average(weights: list[Any], processes: int) -> None:
    """Replace every gradient by its mean over the processes."""
    grads = [w.grad if w.grad is not None else torch.zeros_like(w) for w in weights]
    flat = torch.cat([grad.reshape(-1) for grad in grads])
    torch.distributed.all_reduce(flat)
    flat /= processes
    for weight, part in zip(weights, flat.split([w.numel() for w in weights]), strict=True):
        weight.grad = part.view_as(weight)


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=3600)
    parser.add_argument("--clips", type=int, default=8, help="clips per step and process")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--looking", type=int, default=1000, help="steps of the first phase")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--muon", type=float, default=2.0, help="Muon's rate over AdamW's")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as meeting:
        args.meeting = Path(meeting)
        torch.multiprocessing.start_processes(
            train, (args,), nprocs=args.processes, start_method="spawn"
        )


def save(out: Path, model: Any, processor: Any, both: list[Any], step: int, seconds: float) -> None:
    """Write the checkpoint, then the model as it is shipped, each replaced as a whole."""
    state = {
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in both],
        "step": step,
        "seconds": seconds,
    }
    torch.save(state, out / "checkpoint.tmp")
    os.replace(out / "checkpoint.tmp", out / "checkpoint.pt")
    model.save_pretrained(out / "model")
    processor.save_pretrained(out / "model")


if __name__ == "__main__":
    main()
