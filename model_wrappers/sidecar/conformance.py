"""Whether an adapter keeps the rules of docs/sidecars.md, tried on a running worker."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from aurelia_plugin.calling.backend import Generation, Message, Part, Prompt, Text
from aurelia_plugin.media.clip import Clip, Media
from aurelia_plugin.model_wrappers.sidecar.blocks import generation_fields, written
from aurelia_plugin.model_wrappers.sidecar.facts import AdapterFacts
from aurelia_plugin.model_wrappers.sidecar.pool import WorkerPool

__all__ = ["Check", "conformance"]

_QUESTION = "Describe in one sentence what you see and what you hear."
_SEES = {"video", "frames", "images"}
_LONG = 20_000
"""Words of a text that hardly any system takes."""


class Check(NamedTuple):
    """One rule: whether it holds; `why` tells what was seen."""

    rule: str
    holds: bool
    why: str


def conformance(
    facts: AdapterFacts, pool: WorkerPool, clip: Clip, other: Clip, folder: Path
) -> Iterator[Check]:
    """Try every rule in turn.

    Args:
        facts: the adapter's constants.
        pool: its workers.
        clip: one video with a soundtrack.
        other: another one, whose sound differs.
        folder: where a file can be written.

    Raises:
        ConfigError: if it cannot be loaded.
    """
    trial = _Trial(facts, pool, clip, other, folder)
    rules: list[tuple[str, Callable[[], str]]] = [
        ("its constants are as documented", trial.constants),
        ("it answers words alone, and says that there were no media", trial.words),
        ("it takes system turns and its own replies", trial.turns),
        ("the same request gets the same reply, whatever came between", trial.repeats),
        ("video and soundtrack are in the prompt or declared as left out", trial.clip_is_told),
        ("the picture matters where it is said to be used", trial.picture),
        ("the sound matters where it is said to be used", trial.sound),
        ("separate sounds are in the prompt up to its own number", trial.sounds),
        ("a sound more than that is declared as left out, or refused", trial.one_more),
        ("an image is in the prompt or declared as left out", trial.image),
        ("unreadable sound is an error and no answer", trial.unreadable),
        ("a text that is too long is shortened by whole steps, or refused", trial.long_text),
        ("replies keep to max_new_tokens", trial.short_reply),
    ]
    for rule, check in rules:
        try:
            yield Check(rule, True, check())
        except _BrokenError as error:
            yield Check(rule, False, str(error))


class _BrokenError(Exception):
    """A rule does not hold."""


def _hold(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _BrokenError(otherwise)


def _left_out(used: dict[str, Any]) -> str:
    return f"left out: {'; '.join(used['dropped']) or '-'}"


class _Trial:
    def __init__(
        self, facts: AdapterFacts, pool: WorkerPool, clip: Clip, other: Clip, folder: Path
    ) -> None:
        self._facts = facts
        self._can = facts.capabilities
        self._pool = pool
        self._video, self._other = clip.videos[0], other.videos[0]
        self._clip, self._folder = clip, folder

    def constants(self) -> str:
        wanted = {"sees", "soundtrack", "clips", "seconds", "joint"}
        _hold(set(self._can) == wanted, f"CAPABILITIES has {sorted(self._can)}")
        _hold(set(self._can["sees"]) <= _SEES, f"sees is {self._can['sees']}")
        _hold(self._can["joint"] in {"yes", "no", "extension"}, f"joint is {self._can['joint']}")
        clips = self._can["clips"]
        _hold(clips is None or (isinstance(clips, int) and clips >= 0), f"clips is {clips!r}")
        return self._facts.system

    def words(self) -> str:
        used = self._answer()["used"]
        media = {key: used[key] for key in ("frames", "images", "clips") if used[key]}
        _hold(not media, f"without media it reports {media}")
        return "answered"

    def turns(self) -> str:
        turns = [
            Message("system", (Text("Be brief."),)),
            Message("user", (Text("Say one."),)),
            Message("assistant", (Text("One."),)),
            Message("user", (Text("Say two."),)),
        ]
        self._told(self._send(written(Prompt(tuple(turns)))))
        return "answered"

    def repeats(self) -> str:
        first = self._answer(self._video)
        self._answer(self._other)
        again = self._answer(self._video)
        same = (first["text"], first.get("logits")) == (again["text"], again.get("logits"))
        _hold(same, f"{first['text'][:40]!r} became {again['text'][:40]!r}")
        return "equal, next-token logits too" if "logits" in first else "equal (no logits given)"

    def clip_is_told(self) -> str:
        used = self._answer(self._video)["used"]
        hears, sees = self._can["soundtrack"], {"video", "frames"} & set(self._can["sees"])
        if sees:
            _hold(used["frames"] > 0, "it sees video, and no frame was used")
        if hears:
            _hold(used["clips"] == 1, f"it hears soundtracks, and used {used['clips']} sounds")
        return f"{used['frames']} frames, {used['clips']} sounds; {_left_out(used)}"

    def picture(self) -> str:
        if not {"video", "frames"} & set(self._can["sees"]):
            return "not seen"
        return self._differs(replace(self._video, blanked=True), "black")

    def sound(self) -> str:
        if not self._can["soundtrack"]:
            return "not heard"
        silent = self._differs(replace(self._video, silenced=True), "silent")
        exchanged = self._clip.with_sound_of(Clip((self._other,))).videos[0]
        return f"{silent}; {self._differs(exchanged, 'exchanged')}"

    def _differs(self, changed: Media, what: str) -> str:
        plain, other = self._answer(self._video), self._answer(changed)
        if "logits" in plain:
            pairs = zip(plain["logits"], other["logits"], strict=True)
            most = max(abs(one - two) for one, two in pairs)
            _hold(most > 1e-6 and not math.isnan(most), f"{what}: the same logits")
            return f"{what}: logits differ by {most:.3g}"
        _hold(plain["text"] != other["text"], f"{what}: the same reply, and no logits are given")
        return f"{what}: another reply"

    def sounds(self) -> str:
        count = 2 if self._can["clips"] is None else self._can["clips"]
        used = self._answer(*[self._beep(n) for n in range(count)])["used"]
        _hold(used["clips"] == count, f"of {count} sounds {used['clips']} were used")
        return f"{used['clips']} sounds, {used['sound_tokens']} positions"

    def one_more(self) -> str:
        if self._can["clips"] is None:
            return "no limit"
        count = self._can["clips"] + 1
        reply = self._ask(*[self._beep(n) for n in range(count)])
        if "error" in reply:
            _hold(reply["error"]["kind"] == "request", reply["error"]["message"])
            return "refused"
        used = reply["used"]
        told = any(entry.startswith("sound") for entry in used["dropped"])
        _hold(
            told or used["clips"] == count, f"{used['clips']} of {count} were used, none declared"
        )
        return f"{used['clips']} of {count} used; {_left_out(used)}"

    def image(self) -> str:
        pixels = self._video_frame()
        used = self._answer(Media("image", data=pixels))["used"]
        if "images" in self._can["sees"]:
            _hold(used["images"] == 1, "it sees images, and none was used")
        return f"{used['images']} images; {_left_out(used)}"

    def unreadable(self) -> str:
        if not self._can["clips"] and not self._can["soundtrack"]:
            return "it hears nothing"
        noise = self._folder / "unreadable.wav"
        noise.write_bytes(b"RIFF but no sound at all" * 40)
        blocks = written(self._prompt((self._video,), _QUESTION))
        if self._can["soundtrack"]:
            blocks[0]["sound"] = str(noise)
        else:
            blocks[0] = {"type": "audio", "role": "user", "path": str(noise), "seconds": 1.0}
        reply = self._send(blocks)
        _hold("error" in reply, f"it answered {reply.get('text', '')[:40]!r}")
        return str(reply["error"]["message"])[:100]

    def long_text(self) -> str:
        words = " ".join(["step"] * _LONG)
        blocks = written(self._prompt((), _QUESTION))
        blocks[0] |= {"text": f"{words}\n\n{_QUESTION}", "shorter": [f"One.\n\n{_QUESTION}"]}
        reply = self._send(blocks)
        if "error" in reply:
            _hold(reply["error"]["kind"] == "request", reply["error"]["message"][:200])
            return "refused"
        used = reply["used"]
        told = any(entry.startswith("text") for entry in used["dropped"])
        _hold(
            told or used["input_tokens"] > _LONG // 2,
            f"{_LONG} words became {used['input_tokens']} tokens, and nothing is declared",
        )
        return f"{used['input_tokens']} tokens; {_left_out(used)}"

    def short_reply(self) -> str:
        reply = self._send(written(self._prompt((), _QUESTION)), max_new_tokens=2)
        used = self._told(reply)["used"]
        _hold(used["output_tokens"] <= 2, f"{used['output_tokens']} tokens where 2 were allowed")
        return f"{used['output_tokens']} tokens of 2"

    def _beep(self, number: int) -> Media:
        import numpy as np

        from aurelia_plugin.media.clip import Waveform

        moments = np.arange(24_000) / 16_000  # AVicuna keeps nothing of a second or less
        wave = 0.5 * np.sin(2 * np.pi * (300.0 + 200.0 * number) * moments)
        return Media("audio", data=Waveform(wave.astype(np.float32), 16_000))

    def _video_frame(self) -> Any:
        from aurelia_plugin.media.video import uniform_frames

        return uniform_frames(self._video, 1)

    def _prompt(self, media: tuple[Part, ...], words: str) -> Prompt:
        return Prompt((Message("user", (*media, Text(words))),))

    def _ask(self, *media: Media) -> dict[str, Any]:
        return self._send(written(self._prompt(media, _QUESTION)))

    def _answer(self, *media: Media) -> dict[str, Any]:
        return self._told(self._ask(*media))

    @staticmethod
    def _told(reply: dict[str, Any]) -> dict[str, Any]:
        _hold("error" not in reply, reply.get("error", {}).get("message", ""))
        return reply

    def _send(self, blocks: list[dict[str, Any]], max_new_tokens: int = 16) -> dict[str, Any]:
        generation = Generation(max_new_tokens=max_new_tokens)
        fields = generation_fields(generation, decoding="asked", logits=True)
        future = self._pool.ask(blocks, fields)
        return future.result().reply
