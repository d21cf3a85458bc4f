"""Options of the transformers backend."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from aurelia_plugin.model_wrappers.capabilities import Soundtrack
from aurelia_plugin.model_wrappers.options import BackendOptions

__all__ = ["TransformersOptions"]


class TransformersOptions(BackendOptions):
    """Options of `transformers:MODEL`."""

    dtype: str = "auto"
    """Weights' data type: auto, float32, bfloat16, float16."""
    device: str | None = None
    """Where the model runs; by default the process's own GPU, else the CPU."""
    device_map: str | None = None
    """Spreads a large model over devices, for example `auto`."""
    attn_implementation: str | None = None
    """For example `sdpa` or `flash_attention_2`."""
    revision: str | None = None
    """Branch, tag or commit on the hub."""
    trust_remote_code: bool = False
    """Whether code that comes with the weights may run."""
    max_frames: int = Field(16, ge=1)
    """Frames of a video at most, sampled uniformly."""
    fps: float | None = Field(None, gt=0)
    """Frames of a video a second at most; by default only `max_frames` is a limit."""
    longest_side: int | None = Field(None, ge=14)
    """Pixels to which frames and images are reduced before the processor."""
    min_pixels: int | None = Field(None, ge=1)
    """Pixels of one video frame at least, for processors that resize by area."""
    max_pixels: int | None = Field(None, ge=1)
    """Pixels of one video frame at most, for processors that resize by area."""
    soundtrack: Soundtrack | None = None
    """How a video's soundtrack goes in: `interleaved` with its frames, `after` or `before` them as
    a sound of its own, or `none`; by default as the model's family was trained."""
    max_new_tokens: int | None = Field(None, ge=1)
    """Upper bound on every reply, whatever the task or role asks for."""
    batch_size: Annotated[int, Field(ge=1)] | Literal["auto"] | None = None
    """Requests that run together. `auto`: as many as the memory holds, which is found out by
    growing; one by one for families whose batches differ from single runs. By default `auto` on a
    GPU, 1 elsewhere."""
    reuse_gib: float = Field(4.0, ge=0)
    """GiB of the computer's memory for what was made of clips, so that it is made once for all
    roles and iterations; with 0 it is made for each request."""

    def that_change_replies(self) -> dict[str, object]:
        """Return the options that are part of the backend's identity."""
        return self.model_dump(
            exclude={"device", "device_map", "batch_size", "reuse_gib", "trust_remote_code"},
            exclude_none=True,
        )
