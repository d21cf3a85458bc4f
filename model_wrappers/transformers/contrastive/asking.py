"""What a prompt has to be like to be decoded with a contrast; without PyTorch."""

from __future__ import annotations

from dataclasses import replace

from aurelia_plugin.calling.backend import Generation, Message, Prompt, Text
from aurelia_plugin.media.clip import Media

__all__ = ["asking_prompt", "not_greedy"]


def not_greedy(generation: Generation) -> str | None:
    """Return why a reply cannot be decoded with a contrast as it is asked for, None if it can."""
    if generation.temperature > 0 or generation.num_beams > 1:
        return (
            "AVCD and MAD choose the likeliest token, and the task asks for "
            f"temperature {generation.temperature:g} and {generation.num_beams} beams"
        )
    return None


def asking_prompt(prompt: Prompt, asking: str) -> Prompt:
    """Return the prompt with all its words replaced by `asking`; media and system prompt stay."""
    system = tuple(message for message in prompt.messages if message.role == "system")
    media = tuple(part for part in prompt.parts() if isinstance(part, Media))
    return replace(prompt, messages=(*system, Message("user", (*media, Text(asking)))))
