"""A prompt as the blocks of a request: words, and the paths of files with the media."""

from __future__ import annotations

import wave
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aurelia_plugin.calling.backend import Generation, Prompt, Sampling, Text
from aurelia_plugin.media.audio import wav_file, waveform
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.video import keyframes, probe, uniform_frames
from aurelia_plugin.model_wrappers.delivery.files import image_file, video_path

__all__ = ["generation_fields", "written"]

_RATE = 16_000


def written(prompt: Prompt) -> list[dict[str, Any]]:
    """Write a prompt's media to files where needed and return its blocks.

    Effects (silence, black pictures, spans, other sounds) are in the files. Where the prompt says
    which frames of a video to show, the file holds these frames only.

    Raises:
        MediaError: if a medium cannot be read.
    """
    blocks = []
    for message in prompt.messages:
        for part in message.parts:
            if isinstance(part, Text):
                block = _text(part)
            else:
                block = _medium(part, prompt.sampling_of(part))
            blocks.append({**block, "role": message.role})
    return blocks


def _text(part: Text) -> dict[str, Any]:
    shorter = {"shorter": list(part.shorter)} if part.shorter else {}
    return {"type": "text", "text": part.text, **shorter}


def _medium(medium: Media, sampling: Sampling | None) -> dict[str, Any]:
    if medium.kind == "image":
        return {"type": "image", "path": str(image_file(medium))}
    if medium.kind == "audio":
        path = wav_file(medium, _RATE)
        assert path is not None  # a sound without sound is an error
        return {"type": "audio", "path": str(path), "seconds": _seconds(path)}
    shown = medium if sampling is None else _only_frames(medium, sampling)
    sound = wav_file(shown, _RATE)
    return {
        "type": "video",
        "path": str(video_path(shown, with_sound=True)),
        "sound": None if sound is None else str(sound),
        "seconds": probe(shown).seconds,
        "sound_seconds": 0.0 if sound is None else _seconds(sound),
    }


def _seconds(path: Path) -> float:
    with wave.open(str(path), "rb") as file:
        return round(file.getnframes() / file.getframerate(), 6)


def _only_frames(medium: Media, sampling: Sampling) -> Media:
    if sampling.kind == "keyframes":
        frames = keyframes(medium, limit=sampling.frames)
    else:
        frames = uniform_frames(medium, sampling.frames)
    sound = waveform(medium, _RATE)
    return Media("video", data=frames, sound=None if sound is None else Media("audio", data=sound))


def generation_fields(generation: Generation, *, decoding: str, logits: bool) -> dict[str, Any]:
    """Return the generation settings of a request."""
    fields = asdict(generation)
    return {**fields, "until": list(fields["until"]), "decoding": decoding, "logits": logits}
