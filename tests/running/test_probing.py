"""The verdict of the probe on backends whose hearing and sight are known."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

import numpy as np
import pytest
from making import beep

from aurelia_plugin.calling.backend import Evidence, Prompt, Reply, Usage
from aurelia_plugin.calling.retries import RetryPolicy
from aurelia_plugin.errors import BackendError
from aurelia_plugin.media.audio import waveform
from aurelia_plugin.media.clip import Clip, Frames, Media
from aurelia_plugin.media.video import uniform_frames
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from aurelia_plugin.running.probing import Probe, probe

PIXELS = np.full((4, 16, 16, 3), 200, np.uint8)


def clip(hertz: float) -> Clip:
    frames = Frames(PIXELS, np.arange(4) / 4)
    return Clip((Media("video", data=frames, sound=beep(hertz)),))


def probed(reply: Callable[[Prompt], Reply | str]) -> Probe:
    backend = ScriptedBackend(reply)
    return asyncio.run(probe(backend, clip(440.0), clip(660.0), retry=RetryPolicy(attempts=1)))


def perceived(prompt: Prompt, *, sees: bool = True, hears: bool = True) -> Reply:
    """Answer with what is in the media, and count a token for each of them."""
    words, tokens = [], 5
    for medium in prompt.clip.media:
        if sees and medium.kind == "video":
            words.append(f"brightness {uniform_frames(medium, 4).pixels.mean():.0f}")
            tokens += 4
        sound = waveform(medium)
        if hears and sound is not None:
            crossings = int((np.diff(np.sign(sound.samples)) != 0).sum())
            words.append(f"crossings {crossings}")
            tokens += 3
    evidence = Evidence(frames=4, clips=1, sound_seconds=0.5)
    return Reply(text=" ".join(words) or "-", usage=Usage(input_tokens=tokens), evidence=evidence)


def test_a_target_that_sees_and_hears_passes() -> None:
    found = probed(perceived)
    assert found.passed
    assert (found.picture.tokens, found.sound.tokens) == (4, 3)
    assert found.picture.reason == "the reply changed when blanked"
    assert found.sound.changed == ("muted", "swapped")


@pytest.mark.parametrize("sense", ["sees", "hears"])
def test_a_blind_or_deaf_target_that_claims_both_is_found_out(sense: str) -> None:
    found = probed(lambda prompt: perceived(prompt, **{sense: False}))
    lost = found.picture if sense == "sees" else found.sound
    kept = found.sound if sense == "sees" else found.picture
    assert not found.passed
    assert kept.reached
    assert "handed over, but the outcome is the same" in lost.reason
    assert lost.tokens == 0


def test_a_declared_drop_is_the_reason() -> None:
    def deaf(prompt: Prompt) -> Reply:
        whole = perceived(prompt)
        dropped = ("soundtrack: no ears",)
        return whole.model_copy(update={"evidence": Evidence(frames=4, dropped=dropped)})

    found = probed(deaf)
    assert found.sound.reason == "declared as not delivered (soundtrack: no ears)"
    assert found.picture.reached


@pytest.mark.parametrize(
    "entry",
    [
        "soundtrack beyond 30 s: more than the model takes",
        "soundtrack outside the windows: not heard",
    ],
)
def test_a_sound_that_was_only_shortened_is_reached_and_the_cut_is_told(entry: str) -> None:
    def short(prompt: Prompt) -> Reply:
        whole = perceived(prompt)
        evidence = whole.evidence.model_copy(update={"dropped": (entry,)})
        return whole.model_copy(update={"evidence": evidence})

    found = probed(short)
    assert found.passed
    assert found.sound.reason.endswith(f"; not all of it: {entry}")
    assert "not all" not in found.picture.reason


def test_a_sound_of_which_nothing_is_left_is_not_reached() -> None:
    def gone(prompt: Prompt) -> Reply:
        evidence = Evidence(frames=4, dropped=("soundtrack beyond 0 s: more than the model takes",))
        return perceived(prompt).model_copy(update={"evidence": evidence})

    found = probed(gone)
    assert not found.sound.reached
    assert "the backend delivered no sound; not all of it: soundtrack beyond 0 s" in (
        found.sound.reason
    )


def test_nothing_delivered_is_not_reached_whatever_the_reply_says() -> None:
    found = probed(lambda prompt: perceived(prompt).model_copy(update={"evidence": Evidence()}))
    assert (found.picture.reached, found.sound.reached) == (False, False)
    assert found.sound.reason == "the backend delivered no sound"


def test_replies_that_vary_anyway_prove_nothing_without_tokens() -> None:
    numbers = itertools.count()

    def varying(prompt: Prompt) -> Reply:
        text = f"reply {next(numbers)}"
        return perceived(prompt, hears=False).model_copy(update={"text": text})

    found = probed(varying)
    assert found.picture.reached
    assert "4 tokens (replies vary anyway)" in found.picture.reason
    assert not found.sound.reached
    assert "replies vary" in found.sound.reason


def test_a_failing_call_is_reported_once_and_the_rest_is_not_sent() -> None:
    def broken(_: Prompt) -> Reply:
        raise BackendError("scripted", "out of order", "Repair it.")

    found = probed(broken)
    assert "out of order Repair it." in found.picture.reason
    assert found.arms["muted"].error == "not sent"
    assert not found.passed


def test_a_failure_without_media_decides_nothing() -> None:
    def needs_media(prompt: Prompt) -> Reply:
        if not prompt.clip.media:
            raise BackendError("scripted", "media are needed", "Add some.")
        return perceived(prompt)

    found = probed(needs_media)
    assert found.passed
    assert found.picture.tokens is None
