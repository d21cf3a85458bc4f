"""Turning a prompt's media into what a model's processor takes, and saying what was delivered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from aurelia_plugin.calling.backend import Evidence, Prompt, Text
from aurelia_plugin.media.audio import has_sound
from aurelia_plugin.media.clip import Frames, Media
from aurelia_plugin.media.picture import picture
from aurelia_plugin.media.shared import shared_frames, shared_waveform
from aurelia_plugin.media.video import probe
from aurelia_plugin.model_wrappers.capabilities import Capabilities, Soundtrack

__all__ = ["Prepared", "prepare"]


_DEFAULT_FRAMES = 16


@dataclass
class Prepared:
    """A prompt ready for a processor.

    Attributes:
        conversation: messages of typed blocks, for a chat template.
        videos: each uint8 [frames, height, width, 3].
        video_rates: frames a second of each video as it was sampled.
        video_times: seconds at which the frames of each video are on display.
        images: each uint8 [height, width, 3].
        sounds: each float32 [samples] at the model's rate.
        interleaved: whether each sound belongs to the video of its number, and goes in with its
            frames instead of as a block of its own.
        evidence: what these arrays hold, and what is missing from them.
    """

    conversation: list[dict[str, Any]] = field(default_factory=list)
    videos: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    video_rates: list[float] = field(default_factory=list)
    video_times: list[list[float]] = field(default_factory=list)
    images: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    sounds: list[npt.NDArray[np.float32]] = field(default_factory=list)
    interleaved: bool = False
    evidence: Evidence = field(default_factory=Evidence)


def prepare(prompt: Prompt, takes: Capabilities, *, system: str | None = None) -> Prepared:
    """Decode a prompt's media for a model.

    A video becomes a video block and, after or before it, a sound block with its soundtrack.
    Interleaved soundtracks have no block of their own; where a prompt has more or fewer sounds
    than videos, its soundtracks go after the frames instead, and the evidence says so. What the
    model cannot take is listed in `evidence.dropped`.

    Args:
        prompt: the request.
        takes: what the model takes.
        system: the system prompt of a conversation that has none.

    Raises:
        MediaError: if a medium cannot be decoded.
    """
    work = _Preparation(prompt, takes)
    if system and prompt.messages[0].role != "system":
        block = {"type": "text", "text": system}
        work.done.conversation.append({"role": "system", "content": [block]})
    for message in prompt.messages:
        blocks: list[dict[str, str]] = []
        for part in message.parts:
            if isinstance(part, Text):
                blocks.append({"type": "text", "text": part.text})
            else:
                blocks += work.blocks(part)
        work.done.conversation.append({"role": message.role, "content": blocks})
    done = work.done
    done.evidence = Evidence(
        frames=work.frames,
        images=len(done.images) - work.frames_as_images,
        sound_seconds=round(work.seconds, 6),
        clips=len(done.sounds),
        soundtrack=tuple(dict.fromkeys(work.forms)),
        dropped=tuple(work.dropped),
    )
    return done


class _Preparation:
    def __init__(self, prompt: Prompt, takes: Capabilities) -> None:
        self._prompt = prompt
        self._takes = takes
        self._form = self._soundtrack_form(prompt)
        self.done = Prepared(interleaved=self._form == "interleaved")
        self.frames = 0
        self.frames_as_images = 0
        self.seconds = 0.0
        self.dropped: list[str] = []
        self.forms: list[str] = []

    def _soundtrack_form(self, prompt: Prompt) -> Soundtrack:
        """Return how this prompt's soundtracks go in: interleaved only if each sound is one."""
        if self._takes.soundtrack != "interleaved":
            return self._takes.soundtrack
        videos = prompt.clip.videos
        pairs = bool(videos) and not prompt.clip.audios and all(map(has_sound, videos))
        return "interleaved" if pairs and self._takes.video == "frames" else "after"

    def blocks(self, medium: Media) -> list[dict[str, str]]:
        if medium.kind == "audio":
            return self._sound(medium)
        if medium.kind == "image":
            return self._image(medium)
        picture, sound = self._video(medium), self._sound(medium)
        if self.done.interleaved:
            return picture
        return sound + picture if self._form == "before" else picture + sound

    def _video(self, medium: Media) -> list[dict[str, str]]:
        if self._takes.video == "none":
            self.dropped.append("video: the model takes no pictures")
            return []
        frames = self._frames(medium)
        self.frames += len(frames.times)
        if self._takes.video == "frames":
            self.done.videos.append(frames.pixels)
            self.done.video_rates.append(_rate(frames))
            self.done.video_times.append([float(time) for time in frames.times])
            return [{"type": "video"}]
        self.frames_as_images += len(frames.times)
        self.done.images += list(frames.pixels)
        return [{"type": "image"} for _ in frames.times]

    def _frames(self, medium: Media) -> Frames:
        side = self._takes.longest_side
        asked = self._prompt.sampling_of(medium)
        if asked is not None and asked.kind == "keyframes":
            frames = shared_frames(medium, "keyframes", asked.frames, longest_side=side)
        else:
            count = asked.frames if asked is not None else self._own_count(medium)
            frames = shared_frames(medium, "uniform", count, longest_side=side)
        # A processor may write into what it is given, and others share this.
        return Frames(frames.pixels.copy(), frames.times.copy())

    def _own_count(self, medium: Media) -> int:
        """Return how many frames the model is shown when the prompt leaves that to it."""
        most = self._takes.max_frames or _DEFAULT_FRAMES
        if self._takes.fps is None:
            return most
        return min(most, max(1, round(probe(medium).seconds * self._takes.fps)))

    def _image(self, medium: Media) -> list[dict[str, str]]:
        if not self._takes.images:
            self.dropped.append("image: the model takes no images")
            return []
        self.done.images.append(picture(medium, longest_side=self._takes.longest_side))
        return [{"type": "image"}]

    def _sound(self, medium: Media) -> list[dict[str, str]]:
        rate = self._takes.sound_rate
        sound = shared_waveform(medium, rate)
        if sound is None:  # a video without soundtrack: there is nothing to deliver
            return []
        what = "sound" if medium.kind == "audio" else "soundtrack"
        if not self._takes.hears:
            self.dropped.append(f"{what}: the model takes no sound")
            return []
        if medium.kind == "video" and self._form == "none":
            self.dropped.append("soundtrack: left out by soundtrack=none")
            return []
        samples = sound.samples
        limit = self._takes.sound_seconds
        if limit is not None and len(samples) > limit * rate:
            self.dropped.append(f"{what} beyond {limit:g} s: more than the model takes")
            samples = samples[: int(limit * rate)]
        self.seconds += len(samples) / rate
        # Shorter than one step of a convolutional front end, a sound would give no token at all.
        samples = np.pad(samples, (0, max(0, rate // 10 - len(samples))))
        self.done.sounds.append(samples)
        if medium.kind == "video":
            self.forms.append(self._form)
        return [{"type": "audio"}]


def _rate(frames: Frames) -> float:
    """Frames a second of what was sampled; 1 for a single frame."""
    if len(frames.times) < 2:
        return 1.0
    return float((len(frames.times) - 1) / max(frames.times[-1] - frames.times[0], 1e-3))
