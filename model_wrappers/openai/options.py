"""Options of OpenAI-compatible backends."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from aurelia_plugin.model_wrappers.capabilities import Soundtrack
from aurelia_plugin.model_wrappers.openai.servers import VideoForm
from aurelia_plugin.model_wrappers.options import BackendOptions

__all__ = ["OpenAIOptions"]


class OpenAIOptions(BackendOptions):
    """Options of `openai:MODEL`."""

    server: str = "openai"
    """What the server takes: a name in servers.yaml."""
    base_url: str | None = None
    """Where the server is, up to `/v1`; by default the kind's own place. Several addresses of one
    model are separated by `|`: calls are spread evenly, and a dead server is left out."""
    deployment: str | None = None
    """A name of your own that stands in stored keys instead of `base_url`: set it where addresses
    change from job to job, so that the same model's traces are found again."""
    key_env: str | None = None
    """The environment variable that holds the key; by default the kind's own."""
    video: VideoForm | None = None
    """`sequence` sends a video's frames as one video (vLLM), `file` the whole file, `frames` its
    frames as pictures, `none` no pictures at all; by default what the server takes, and the whole
    file where the soundtrack is interleaved."""
    sound: Literal["input_audio", "audio_url", "none"] | None = None
    """How sound is sent, `none` for models without hearing; by default what the server takes."""
    soundtrack: Soundtrack | None = None
    """How a video's soundtrack goes in: `interleaved` with its frames (vLLM, for videos sent
    whole), `after` or `before` them as a sound of its own, or `none`; by default as the model's
    family was trained, else `after`."""
    json_schema: bool | None = None
    """Whether JSON schemas are sent; by default as the server takes them."""
    max_frames: int = Field(16, ge=1)
    """Frames of a video, sampled uniformly."""
    longest_side: int | None = Field(512, ge=14)
    """Pixels to which images, frames and videos encoded anew are reduced; not whole files."""
    min_pixels: int | None = Field(None, ge=1)
    """Pixels of a frame or image at least; of videos sent whole where the server can be told."""
    max_pixels: int | None = Field(None, ge=1)
    """Pixels of a frame or image at most; of videos sent whole where the server can be told."""
    max_new_tokens: int | None = Field(None, ge=1)
    """Upper bound on every reply, whatever the task or role asks for."""
    room_for_thinking: int = Field(0, ge=0)
    """Tokens beyond a reply's limit, for models whose thoughts count as reply."""
    fixed_temperature: bool = False
    """For models that refuse a temperature: none is sent, and replies may vary."""
    timeout: float = Field(300, gt=0)
    """Seconds after which a call counts as failed and is repeated."""
    concurrency: int = Field(8, ge=1)
    """Calls under way at once, for each address."""

    def that_change_replies(self) -> dict[str, object]:
        """Return the options that are part of the backend's identity."""
        others = {"key_env", "timeout", "concurrency"}
        if self.deployment is not None:
            others.add("base_url")
        return self.model_dump(exclude=others, exclude_none=True)
