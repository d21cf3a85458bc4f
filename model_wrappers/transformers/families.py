"""Facts about families of the transformers library, as data."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from aurelia_plugin.files.records import Record
from aurelia_plugin.model_wrappers.capabilities import Soundtrack

__all__ = ["FAMILIES", "Family", "families", "family_named", "family_of"]

FAMILIES = Path(__file__).with_name("families.yaml")


class Family(Record):
    """What the transformers backend has to know beyond what a processor says of itself."""

    loads: str | None = None
    """The class to load instead of the configuration's own: the part that writes text."""
    config: str | None = None
    """The field of the configuration that this class takes."""
    system: str | None = None
    """The system prompt of a conversation that has none."""
    sound_part: str = "feature_extractor"
    """The processor's attribute for sound."""
    sound_argument: str = "audio"
    """The processor's keyword for sound."""
    sound_options: dict[str, Any] = Field(default_factory=dict)
    """More arguments of the processor's part for sound."""
    sound_rate: int | None = Field(None, ge=1)
    """Samples a second; None where the processor says so."""
    sound_seconds: float | None = Field(None, gt=0)
    """Seconds of one sound at most; None where the processor says so."""
    soundtrack: Soundtrack = "after"
    """How a video's soundtrack goes in by default: as the model was trained."""
    soundtrack_source: str = ""
    """Where it was read how the model was trained."""
    interleaves: bool = False
    """Whether the processor can put a soundtrack's tokens between those of the frames."""
    pads_sound: bool = False
    """Whether the processor pads each sound to the longest that its extractor takes."""
    hub_names: tuple[str, ...] = ()
    """How names of its models on the hub begin, without owner; servers know a model by these."""
    frames_as_images: bool = False
    """Whether frames go in as images although the processor has a video part."""
    video_pixels: tuple[int, int] | None = None
    """Pixels of one video frame at least and at most; None leaves it to the processor."""
    timestamps: bool = False
    """Whether the processor writes the frames' times into the prompt, and has to be told them."""
    batches: bool = False
    """Whether several prompts may run together: each then gets the logits that it gets alone."""
    towers_apart: bool = False
    """Whether the towers can read a clip before the prompts over it are made."""
    generation: dict[str, Any] = Field(default_factory=dict)
    """More arguments of `generate`."""


@functools.cache
def families() -> dict[str, Family]:
    """Return the families by model type."""
    rows = yaml.safe_load(FAMILIES.read_text(encoding="utf-8"))["families"]
    return {name: Family.model_validate(facts) for name, facts in rows.items()}


def family_of(model_type: str) -> Family:
    """Return the facts of a model type; the defaults if it is not known."""
    return families().get(model_type, Family())


def family_named(model: str) -> Family:
    """Return the facts of a model by its name on the hub or a server; the defaults if unknown."""
    name = model.rsplit("/", 1)[-1].lower()
    named = (family for family in families().values() for begin in family.hub_names
             if name.startswith(begin))  # fmt: skip
    return next(named, Family())
