"""What goes into an adapter and what comes out of it."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

__all__ = [
    "Answer",
    "Block",
    "Generation",
    "Image",
    "MediaError",
    "Options",
    "RequestError",
    "Sound",
    "System",
    "Text",
    "Used",
    "Video",
    "blocks_from",
    "generation_from",
]


class Text(NamedTuple):
    """Words of one turn.

    Attributes:
        role: `system`, `user` or `assistant`.
        text: the words.
        shorter: the same with ever fewer reasoning steps, the last without any; empty where the
            text holds no reasoning. For systems whose text is limited: see `fitted`.
    """

    role: str
    text: str
    shorter: Tuple[str, ...] = ()


class Video(NamedTuple):
    """A video. Silence, black pictures, spans and exchanged sounds are already in the files.

    Attributes:
        role: whose turn it belongs to.
        path: a video file with its soundtrack.
        sound: the soundtrack alone: a WAV file, mono, 16 kHz, 16-bit PCM; None without one.
        seconds: length of the picture.
        sound_seconds: length of the soundtrack; 0 without one.
    """

    role: str
    path: str
    sound: Optional[str]
    seconds: float
    sound_seconds: float = 0.0


class Sound(NamedTuple):
    """A sound of its own: a WAV file, mono, 16 kHz, 16-bit PCM, `seconds` long."""

    role: str
    path: str
    seconds: float


class Image(NamedTuple):
    """An image file."""

    role: str
    path: str


Block = Union[Text, Video, Sound, Image]


class Generation(NamedTuple):
    """How the reply is decoded.

    Attributes:
        max_new_tokens: upper bound on the reply, in the system's tokens.
        temperature: 0 is greedy.
        until: strings at which the reply ends; the worker cuts them off.
        seed: the worker has seeded Python's, NumPy's and torch's generators with it.
        decoding: `asked`: as the other fields say; `upstream`: as the system's authors do it,
            within `max_new_tokens`.
        logits: whether `Answer.logits` is wanted.
    """

    max_new_tokens: int = 512
    temperature: float = 0.0
    top_p: Optional[float] = None
    top_k: Optional[int] = None
    num_beams: int = 1
    until: Tuple[str, ...] = ()
    seed: int = 0
    decoding: str = "asked"
    logits: bool = False

    def arguments(self, upstream: Mapping[str, object]) -> Dict[str, object]:
        """Return arguments of transformers' `generate`.

        Args:
            upstream: those of the system's authors, for `decoding=upstream`.
        """
        if self.decoding == "upstream":
            return {**upstream, "max_new_tokens": self.max_new_tokens}
        arguments: Dict[str, object] = {
            "max_new_tokens": self.max_new_tokens,
            "do_sample": self.temperature > 0,
            "num_beams": self.num_beams,
        }
        if self.temperature > 0:
            more = {"temperature": self.temperature, "top_p": self.top_p, "top_k": self.top_k}
            arguments.update({key: value for key, value in more.items() if value is not None})
        return arguments


class Options(NamedTuple):
    """Where a system is and how it is loaded.

    Attributes:
        repo: folder of the user's checkout of the upstream code; it is on `sys.path`.
        weights: folder or file with the weights; "" for a tiny random instance.
        device: `cuda` or `cpu`, or what the user named.
        seed: for the random weights of a tiny instance.
        folder: an empty folder for this process, removed when it ends.
        more: values of the adapter's own options (its `OPTIONS`), as text.
    """

    repo: str
    weights: str
    device: str
    seed: int = 0
    folder: str = ""
    more: Dict[str, str] = {}  # noqa: RUF012 - a NamedTuple has no factories; nobody writes to it

    def part(self, pattern: str, option: str) -> str:
        """Return a part of the weights: what an option names, or else the one file that fits.

        Args:
            pattern: of the file's path below `weights`, as in a shell.
            option: the adapter's option by which the user can name another one.

        Raises:
            FileNotFoundError: if there is none, or more than one.
        """
        if self.more.get(option):
            return self.more[option]
        found = glob.glob(os.path.join(self.weights, pattern))
        if len(found) != 1:
            raise FileNotFoundError(f"{self.weights}: {len(found)} of {pattern}; set {option}=…")
        return found[0]

    def language_model(self) -> str:
        """Return the folder of the language model: `llm`, or the one folder with a config.json.

        Raises:
            FileNotFoundError: see `part`.
        """
        return self.more.get("llm") or os.path.dirname(self.part("*/config.json", "llm"))


@dataclass
class Used:
    """What of a request really entered the prompt; filled in while it is built.

    Attributes:
        frames: frames of videos.
        images: still images.
        clips: pieces of sound.
        sound_seconds: seconds of sound, over all pieces.
        sound_tokens: positions of the prompt (or vectors, where there are no positions) that hold
            sound, counted on what entered the model and not computed from what was asked for.
        input_tokens: positions of the whole prompt; 0 if that cannot be told.
        output_tokens: tokens of the reply.
        dropped: one entry for each medium, or part of one, that was left out: `<what>: <why>`,
            what being video, image, sound, soundtrack or text, without names or running numbers.
    """

    frames: int = 0
    images: int = 0
    clips: int = 0
    sound_seconds: float = 0.0
    sound_tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    dropped: List[str] = field(default_factory=list)

    def hear(
        self,
        seconds: float,
        limit: Optional[float] = None,
        what: str = "sound",
        why: str = "more than the model takes",
    ) -> None:
        """Count one piece of sound, of which `limit` seconds at most are in the prompt."""
        self.clips += 1
        self.sound_seconds += seconds if limit is None else min(seconds, limit)
        if limit is not None and seconds > limit:
            self.drop(f"{what} beyond {limit:g} s", why)

    def drop(self, what: str, why: str) -> None:
        """Declare something as left out."""
        self.dropped.append(f"{what}: {why}")

    def leave_out(self, block: Block, why: str) -> None:
        """Declare a whole block as left out, a video's soundtrack too; words are not touched."""
        if isinstance(block, Video):
            self.drop("video", why)
            if block.sound:
                self.drop("soundtrack", why)
        elif not isinstance(block, Text):
            self.drop("sound" if isinstance(block, Sound) else "image", why)


class Answer(NamedTuple):
    """A reply.

    Attributes:
        text: the reply without the prompt and without special tokens.
        used: what entered the prompt.
        warnings: what the reader of this one reply should know.
        logits: logits of the reply's first token, where they were asked for.
    """

    text: str
    used: Used
    warnings: Sequence[str] = ()
    logits: Optional[Sequence[float]] = None


class System:
    """A loaded system: what `load` and `load_tiny` of an adapter return."""

    def answer(self, blocks: List[Block], generation: Generation) -> Answer:
        """Answer one request.

        Raises:
            MediaError: if a medium cannot be read.
            RequestError: if the request cannot be put to this system.
            Exception: whatever upstream raises; the worker reports it as a failure.
        """
        raise NotImplementedError


class MediaError(Exception):
    """A medium cannot be read."""

    def __init__(self, path: str, cause: str) -> None:
        super().__init__(f"{path}: {cause}")
        self.path = path
        self.cause = cause


class RequestError(Exception):
    """A request cannot be put to this system: it would have to be falsified."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(f"{what} {fix}")
        self.what = what
        self.fix = fix


def blocks_from(rows: Sequence[Dict[str, Any]]) -> List[Block]:
    """Return the blocks of a request.

    Raises:
        ValueError: if a row has no known type or other fields than that type.
    """
    kinds = {"text": Text, "video": Video, "audio": Sound, "image": Image}
    blocks: List[Block] = []
    for row in rows:
        values = {key: value for key, value in row.items() if key != "type"}
        if "shorter" in values:
            values["shorter"] = tuple(values["shorter"])
        try:
            blocks.append(kinds[row["type"]](**values))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a block: {row!r:.200}: {error}") from error
    return blocks


def generation_from(values: Dict[str, Any]) -> Generation:
    """Return the generation settings of a request.

    Raises:
        ValueError: if there is an unknown one.
    """
    try:
        generation = Generation(**values)
    except TypeError as error:
        raise ValueError(f"not generation settings: {error}") from error
    return generation._replace(until=tuple(generation.until))
