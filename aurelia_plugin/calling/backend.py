"""The seam between the method and whatever answers a prompt.

A backend is an async callable: prompt in, reply out. Agents and targets are the same thing here;
a local model, an API, a server, another process or a script all stand behind this protocol.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from aurelia_plugin.calling.contrast import Contrast
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.files.records import Record
from aurelia_plugin.files.storable import Storable
from aurelia_plugin.media.clip import Clip, Media

__all__ = [
    "Backend",
    "Evidence",
    "Generation",
    "Message",
    "Part",
    "Preparing",
    "Prompt",
    "Reply",
    "Sampling",
    "Service",
    "Text",
    "Usage",
    "cut_at",
    "service_of",
]


@dataclass(frozen=True)
class Text:
    """A run of text inside a message.

    Attributes:
        text: the words.
        shorter: the same with ever fewer reasoning steps, the last without any; for models whose
            text is limited. Empty where the text holds no reasoning.
    """

    text: str
    shorter: tuple[str, ...] = ()


Part = Text | Media


@dataclass(frozen=True)
class Message:
    """One turn: text and media in the order in which the model gets them."""

    role: Literal["system", "user", "assistant"]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Generation:
    """How a reply is decoded. Temperature 0 means greedy.

    Attributes:
        max_new_tokens: upper bound on the reply, in the model's tokens.
        until: strings at which the reply ends; they are cut off.
        seed: for backends that sample.
    """

    max_new_tokens: int = 512
    temperature: float = 0.0
    top_p: float | None = None
    top_k: int | None = None
    num_beams: int = 1
    until: tuple[str, ...] = ()
    seed: int = 0

    def digest(self) -> str:
        """Return a digest of all fields."""
        return digest_of(
            [
                self.max_new_tokens,
                self.temperature,
                self.top_p,
                self.top_k,
                self.num_beams,
                list(self.until),
                self.seed,
            ]
        )


@dataclass(frozen=True)
class Sampling:
    """Which frames of a video a prompt asks for.

    Attributes:
        kind: `uniform`, or `keyframes` (structural similarity to the frame before below 0.6, as
            in the official release).
        frames: at most this many.
    """

    kind: Literal["uniform", "keyframes"]
    frames: int

    def __post_init__(self) -> None:
        if self.frames < 1:
            raise ValueError("at least one frame has to be shown")


@dataclass(frozen=True)
class Prompt:
    """A request to a backend.

    Attributes:
        messages: the conversation; the last message is the user's.
        generation: decoding settings.
        sampling: which frames to show; None leaves it to the backend's own defaults.
        schema: a JSON Schema for the reply, for backends that can enforce one.
        contrast: how tokens are chosen, for backends that are `Contrasting`; others are not asked.
    """

    messages: tuple[Message, ...]
    generation: Generation = field(default_factory=Generation)
    sampling: Sampling | None = None
    schema: Mapping[str, object] | None = None
    contrast: Contrast | None = None

    @property
    def clip(self) -> Clip:
        """All media of the conversation, in order."""
        return Clip(tuple(part for part in self.parts() if isinstance(part, Media)))

    def sampling_of(self, medium: Media) -> Sampling | None:
        """Return which frames of a medium are shown: as it says itself, else as the prompt does."""
        if medium.frames is not None:
            return Sampling("uniform", medium.frames)
        return self.sampling

    def parts(self) -> Iterator[Part]:
        """Yield every part of every message, in order."""
        for message in self.messages:
            yield from message.parts

    def digest(self) -> str:
        """Return a digest of all that can change the reply: text, media, decoding, sampling."""
        messages = [
            [m.role, [["text", p.text] if isinstance(p, Text) else p.digest for p in m.parts]]
            for m in self.messages
        ]
        sampling = [self.sampling.kind, self.sampling.frames] if self.sampling else None
        contrast = [] if self.contrast is None else [self.contrast.digest()]
        return digest_of([messages, self.generation.digest(), sampling, self.schema, *contrast])

    def asking_again(self, reply: str, request: str) -> Prompt:
        """Return this prompt followed by the model's `reply` and the user's `request`.

        An empty reply is shown as such: services refuse empty turns.
        """
        more = (
            Message("assistant", (Text(reply if reply.strip() else "(no text)"),)),
            Message("user", (Text(request),)),
        )
        return replace(self, messages=self.messages + more)


class Usage(Record):
    """Tokens that one or several calls cost, as the backend counted them.

    Attributes:
        cached_tokens: of the input tokens, those that the service had kept from earlier calls.
        stored_token_hours: tokens that the service was asked to keep for later calls, times the
            hours for which it keeps them.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    stored_token_hours: float = 0.0

    @property
    def total(self) -> int:
        """Tokens read and written."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            stored_token_hours=self.stored_token_hours + other.stored_token_hours,
        )


class Evidence(Record):
    """What reached the model, of one or several calls.

    Attributes:
        frames: video frames.
        images: still images.
        sound_seconds: seconds of sound, over all clips.
        clips: how many pieces of sound (soundtracks and audio files).
        soundtrack: the forms in which soundtracks went in: interleaved, after, before.
        dropped: one entry for each medium, or part of one, that was not delivered: what and why
            in a few words without names, so that entries can be counted over a run.
    """

    frames: int = 0
    images: int = 0
    sound_seconds: float = 0.0
    clips: int = 0
    soundtrack: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    def __add__(self, other: Evidence) -> Evidence:
        return Evidence(
            frames=self.frames + other.frames,
            images=self.images + other.images,
            sound_seconds=self.sound_seconds + other.sound_seconds,
            clips=self.clips + other.clips,
            soundtrack=tuple(dict.fromkeys(self.soundtrack + other.soundtrack)),
            dropped=self.dropped + other.dropped,
        )


class Reply(Record):
    """A backend's answer.

    Attributes:
        text: the reply, without the prompt and without special tokens.
        model: the model that answered, as the backend or service named it.
        passes: forward passes of the model that this reply took, each row of a batch for itself;
            None where the backend does not know.
    """

    text: Storable
    usage: Usage = Usage()
    evidence: Evidence = Evidence()
    model: str = ""
    passes: int | None = None


class Service(NamedTuple):
    """What stands behind a backend that asks over a network.

    Attributes:
        place: provider, address and model; calls to one place share one limit.
        model: the model's name, as price lists have it.
        timeout: seconds after which a request counts as failed, waiting for its turn not included.
        room: tokens that a reply may have beyond its prompt's limit (thoughts).
        requests: how many requests the backend makes of a prompt.
    """

    place: str
    model: str
    timeout: float
    room: int = 0
    requests: Callable[[Prompt], int] = lambda prompt: 1


@runtime_checkable
class Backend(Protocol):
    """Anything that answers a prompt over a clip.

    A backend that asks over a network also has an attribute `service` (`Service`): it is timed
    and may cost money.

    Raises (when called): `BackendError` when no answer could be had, `MediaError` when a medium
    cannot be read. A failure is never returned as text.
    """

    @property
    def identity(self) -> str:
        """Names the model and every option that can change a reply; part of every stored key."""

    @property
    def concurrency(self) -> int:
        """How many calls may usefully be under way at once."""

    async def __call__(self, prompt: Prompt) -> Reply:
        """Answer the prompt."""

    async def close(self) -> None:
        """Release what the backend holds."""


@runtime_checkable
class Preparing(Protocol):
    """A backend whose part of a call (decoding, encoding) can be done before the call's turn.

    So a service's next request is ready when its last reply comes. Raises as the backend does.
    """

    async def prepare(self, prompt: Prompt) -> Callable[[], Awaitable[Reply]]:
        """Make the request ready; what is returned sends it, as often as it is called."""


def service_of(backend: Backend) -> Service | None:
    """Return the service behind a backend, None for one that works on this machine."""
    service: Service | None = getattr(backend, "service", None)
    return service


def cut_at(text: str, until: tuple[str, ...]) -> str:
    """Return `text` up to the first of the strings in `until`."""
    for stop in until:
        if stop:
            text = text.split(stop, 1)[0]
    return text
