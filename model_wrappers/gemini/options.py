"""Options of the Gemini backend."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from aurelia_plugin.model_wrappers.capabilities import Soundtrack
from aurelia_plugin.model_wrappers.options import BackendOptions

__all__ = ["GeminiOptions"]


class GeminiOptions(BackendOptions):
    """Options of `gemini:MODEL`."""

    video: Literal["file", "frames"] = "file"
    """`file` sends videos whole; `frames` sends pictures and the sound apart."""
    soundtrack: Soundtrack | None = None
    """How a video's soundtrack goes in: `interleaved` is heard by the service in a video that is
    sent whole, which is the default there; `after` or `before` it as a sound of its own (the
    default of frames is `after`), or `none`."""
    max_frames: int = Field(16, ge=1)
    """Frames of a video, with `video=frames`."""
    longest_side: int | None = Field(None, ge=14)
    """Pixels to which images, frames and videos encoded anew are reduced; not whole files."""
    min_pixels: int | None = Field(None, ge=1)
    """Pixels of a frame or image at least; not of whole files."""
    max_pixels: int | None = Field(None, ge=1)
    """Pixels of a frame or image at most; not of whole files."""
    media_resolution: Literal["low", "medium", "high"] | None = None
    """Tokens that the service spends on a picture; its own default if left out."""
    max_new_tokens: int | None = Field(None, ge=1)
    """Upper bound on every reply, whatever the task or role asks for."""
    room_for_thinking: int = Field(4096, ge=0)
    """Tokens beyond a reply's limit: the service counts the model's thoughts as reply."""
    inline_mb: float = Field(8, ge=0, le=14)
    """Media of one request up to this size travel inside it; what is beyond is uploaded."""
    timeout: float = Field(300, gt=0)
    """Seconds after which a call counts as failed and is repeated."""
    cache_after: int = Field(3, ge=0)
    """Calls about one clip that the service reads at the full price before it is told to keep the
    clip (context caching: what it keeps costs a tenth, and storage); 0 for never. What it finds
    again by itself is charged so in any case."""
    upload_timeout: float = Field(600, gt=0)
    """Seconds that the service may take to process an uploaded file."""
    concurrency: int = Field(8, ge=1)
    """Calls under way at once."""
    base_url: str | None = None
    """Where the service is, for proxies."""

    def that_change_replies(self) -> dict[str, object]:
        """Return the options that are part of the backend's identity."""
        how = {"cache_after", "inline_mb", "timeout", "upload_timeout", "concurrency"}
        return self.model_dump(exclude=how, exclude_none=True)
