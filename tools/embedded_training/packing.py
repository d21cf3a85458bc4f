"""Many exchanges over one clip as one sequence: a tree in which equal beginnings are shared.

Media and question stand once for all exchanges that begin with them. A token attends to its
ancestors alone and has its place in its own prompt as position, so the model computes exactly what
it computes for each exchange by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedded_training.clips import Clip
from embedded_training.exchange import Exchange

__all__ = ["Packed", "Packer"]


class Packed(NamedTuple):
    """One clip's tree of `n` tokens.

    ids `[n]`; positions `[3, n]`; mask `[n, n]`; sound `[n]`: which of the clip's sounds a sound
    token is of, else -1; rank `[n]`: which of the tokens of its medium it is; sources, targets,
    weights, roles, exchanges `[m]`: from which place which token is to be predicted, how much it
    counts, for which part, and in which exchange.
    """

    ids: NDArray[np.int64]
    positions: NDArray[np.int64]
    mask: NDArray[np.bool_]
    sound: NDArray[np.int64]
    rank: NDArray[np.int64]
    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    weights: NDArray[np.float32]
    roles: NDArray[np.int64]
    exchanges: NDArray[np.int64]


_ANSWER: Final = "Answer: "
_ANSWER_WEIGHT = 3.0
_WEIGHTS: Mapping[str, float] = {"summarize": 0.3}
"""How much a token of a reply counts; 1 where nothing is said, and of an answer always as much."""


class Packer:
    """Turns clips into trees.

    Args:
        positions: gives the 3-row positions of a prompt's tokens.
    """

    def __init__(
        self,
        processor: Any,
        positions: Any,
        video_tokens: int,
        sound_tokens: int,
        roles: Sequence[str],
    ) -> None:
        self.processor = processor
        self._tokenizer = processor.tokenizer
        self._positions = positions
        self._roles = list(roles)
        self._video_tokens, self._sound_tokens = video_tokens, sound_tokens
        one = self._tokenizer.convert_tokens_to_ids
        self._video, self._sound = one("<|VIDEO|>"), one("<|AUDIO|>")
        self._vision = (one("<|vision_bos|>"), one("<|vision_eos|>"))
        self._audio = (one("<|audio_bos|>"), one("<|audio_eos|>"))
        self._prefixes: dict[tuple[int, bool, bool], Any] = {}

    def _text(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _prefix(self, sounds: int, agent: bool, sees: bool) -> Any:
        """Return tokens, sound index, rank and positions of all that stands before the text."""
        key = (sounds, agent, sees)
        if key not in self._prefixes:
            tokens = self._text("<|im_start|>user\n")
            sound, rank = [-1] * len(tokens), [0] * len(tokens)

            def add(ids: Sequence[int], which: int = -1, counted: bool = False) -> None:
                tokens.extend(ids)
                sound.extend([which] * len(ids))
                rank.extend(range(len(ids)) if counted else [0] * len(ids))

            if sees:
                if agent and sounds > 1:
                    add(self._text("Video 1:"))
                add([self._vision[0]])
                add([self._video] * self._video_tokens, -1, True)
                add([self._vision[1]])
                for index in range(sounds):
                    if index:
                        add(self._text(f"Audio {index}:"))
                    add([self._audio[0]])
                    add([self._sound] * self._sound_tokens, index, True)
                    add([self._audio[1]])
            self._prefixes[key] = (tokens, sound, rank, self._positions(tokens))
        return self._prefixes[key]

    def __call__(self, clip: Clip) -> Packed:
        """Return one clip's tree."""
        ids: list[int] = []
        parents: list[int] = []
        sound: list[int] = []
        rank: list[int] = []
        places: list[Any] = []
        children: list[dict[tuple[int, int, int], int]] = [{}]  # of the root, then of each token
        pairs: list[tuple[int, int, float, int, int]] = []
        for number, exchange in enumerate(clip.exchanges):
            sequence, start, answer = self._sequence(clip, exchange)
            at = -1
            usual = _WEIGHTS.get(exchange.role, 1.0)
            role = self._roles.index(exchange.role)
            for index, (token, which, nth, place) in enumerate(sequence):
                if index >= start:
                    weight = _ANSWER_WEIGHT if index >= answer else usual
                    pairs.append((at, token, weight, role, number))
                    if index == len(sequence) - 1:
                        break  # nothing follows the end of the reply
                key = (token, which, nth)
                child = children[at + 1].get(key)
                if child is None:
                    child = len(ids)
                    children[at + 1][key] = child
                    children.append({})
                    ids.append(token)
                    parents.append(at)
                    sound.append(which)
                    rank.append(nth)
                    places.append(place)
                at = child
        mask = np.zeros((len(ids), len(ids)), dtype=bool)
        for index, parent in enumerate(parents):
            if parent >= 0:
                mask[index] = mask[parent]
            mask[index, index] = True
        columns = list(zip(*pairs, strict=True))
        return Packed(
            np.array(ids),
            np.array(places).T,
            mask,
            np.array(sound),
            np.array(rank),
            np.array(columns[0]),
            np.array(columns[1]),
            np.array(columns[2], dtype=np.float32),
            np.array(columns[3]),
            np.array(columns[4]),
        )

    def _sequence(self, clip: Clip, exchange: Exchange) -> tuple[list[Any], int, int]:
        """Return an exchange's tokens, and where of them its reply and its answer begin."""
        tokens, sound, rank, positions = self._prefix(
            len(clip.sounds), exchange.agent, exchange.sees_clip
        )
        prompt = self._text(f"{exchange.prompt}<|im_end|>\n<|im_start|>assistant\n{exchange.given}")
        said = f"{exchange.reply[len(exchange.given) :]}<|im_end|>"
        reply = self._text(said)
        at = exchange.reply.rfind(_ANSWER)
        before = reply if at < 0 else self._text(said[: max(0, at - len(exchange.given))])
        first = int(positions.max()) + 1
        rest = prompt + reply
        sequence = [
            (t, s, r, tuple(p))
            for t, s, r, p in zip(tokens, sound, rank, positions.T.tolist(), strict=True)
        ]
        sequence += [(t, -1, 0, (first + k,) * 3) for k, t in enumerate(rest)]
        start = len(tokens) + len(prompt)
        return sequence, start, start + len(before)
