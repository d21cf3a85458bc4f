"""A question: what a task asks about a clip, independent of any harness."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from aurelia_plugin.calling.backend import Generation, Message, Part, Prompt, Text
from aurelia_plugin.files.digests import digest_of
from aurelia_plugin.media.clip import Clip, Media

__all__ = ["Question", "labelled"]

_LONGEST_NAME = 40


@dataclass(frozen=True)
class Question:
    """One item of a task.

    Attributes:
        id: unique within a run, for example `task/split/12`.
        messages: the conversation as the task gives it; text and media in order.
        generation: how the task wants the answer decoded.
        category: the item's category, or the task's name where it has none.
        fields: the item's own fields (for `precomputed=field:NAME`).
        reader: reads the answer out of a reply where the task is known (`condition=consistency`
            counts such answers); None elsewhere.
        column: the task, under which the question's usage is counted.
        known_key: the key, where it has been computed (`keyed`).
    """

    id: str
    messages: tuple[Message, ...]
    generation: Generation
    category: str = ""
    fields: dict[str, object] | None = None
    reader: Callable[[str], str | None] | None = None
    column: str = ""
    known_key: str | None = field(default=None, compare=False, repr=False)

    @property
    def clip(self) -> Clip:
        """All media of the question, in order."""
        return Prompt(self.messages).clip

    @property
    def text(self) -> str:
        """The question's text; media that stand between two texts appear as `[audio 1]`."""
        labels = iter(labelled(self.clip))
        parts = [part for message in self.messages for part in message.parts]
        first = next((i for i, p in enumerate(parts) if isinstance(p, Text)), len(parts))
        last = max((i for i, p in enumerate(parts) if isinstance(p, Text)), default=-1)
        pieces = []
        for position, part in enumerate(parts):
            if isinstance(part, Text):
                pieces.append(part.text.strip())
                continue
            label = next(labels)
            if first < position < last:
                pieces.append(f"[{label}]")
        return "\n".join(piece for piece in pieces if piece)

    @property
    def lead(self) -> tuple[Part, ...]:
        """The clip as agents get it: as the target does, so that engines know it already.

        The media in the task's own order, with the names that the task gives them ("Audio 1:").
        Where other words of the task stand before or between them, several media have names of
        their kind and number instead: an agent sees no more of the task than its prompt shows.
        """
        media = self.clip.media
        for message in self.messages[:1]:
            parts = list(message.parts)
            while parts and isinstance(parts[-1], Text):
                parts.pop()
            texts = [part.text for part in parts if isinstance(part, Text)]
            whole = sum(isinstance(part, Media) for part in parts) == len(media)
            if message.role == "user" and whole and all(map(_is_name, texts)):
                return tuple(parts)
        if len(media) < 2:
            return media
        named: list[Part] = []
        for name, medium in zip(labelled(self.clip), media, strict=True):
            named += [Text(f"{name.capitalize()}:"), medium]
        return tuple(named)

    @property
    def key(self) -> str:
        """Digest of clip and text: the same question has it in every run and arm."""
        return self.known_key or digest_of([self.clip.digest, self.text])

    def keyed(self) -> Question:
        """Return the question with its key computed: this reads the files of its media, once.

        Raises:
            MediaError: a file cannot be read.
        """
        return replace(self, known_key=self.key)

    def prompt(self) -> Prompt:
        """Return the question as the target is asked it."""
        return Prompt(self.messages, self.generation)

    def with_media(self, change: Callable[[Clip], Clip]) -> Question:
        """Return the question over a changed clip.

        `change` keeps the number of media, or drops them all.
        """
        changed = iter(change(self.clip).media)
        messages = []
        for message in self.messages:
            parts: list[Part] = []
            for part in message.parts:
                new = next(changed, None) if isinstance(part, Media) else part
                if new is not None:
                    parts.append(new)
            messages.append(replace(message, parts=tuple(parts)))
        return replace(self, messages=tuple(messages), known_key=None)

    def with_preface(self, preface: str, shorter: Sequence[str] | None = None) -> Question:
        """Return the question with `preface` put in front of the task's last text.

        The task's own text, and with it the instruction on the answer's form, stays last.

        Args:
            preface: what is put there.
            shorter: ever shorter forms of it, for models whose text is limited; the form without
                any is added here. None for a preface that may not go.
        """
        messages = list(self.messages)
        for index in range(len(messages) - 1, -1, -1):
            parts = list(messages[index].parts)
            places = [i for i, part in enumerate(parts) if isinstance(part, Text)]
            if messages[index].role != "user" or not places:
                continue
            own = parts[places[-1]]
            assert isinstance(own, Text)
            parts[places[-1]] = _behind(own.text, preface, shorter)
            messages[index] = replace(messages[index], parts=tuple(parts))
            return replace(self, messages=tuple(messages), known_key=None)
        return replace(
            self, known_key=None, messages=(*messages, Message("user", (Text(preface),)))
        )


def _is_name(text: str) -> bool:
    """Whether a text only names the medium behind it."""
    name = text.strip()
    return len(name) <= _LONGEST_NAME and name.endswith(":") and "\n" not in name


def _behind(own: str, preface: str, shorter: Sequence[str] | None) -> Text:
    whole = f"{preface}\n\n{own}"
    if shorter is None:
        return Text(whole)
    return Text(whole, (*(f"{form}\n\n{own}" for form in shorter), own))


def labelled(clip: Clip) -> tuple[str, ...]:
    """Return a name for each medium of a clip: `video 1`, `audio 1`, `audio 2`, ..."""
    seen: Counter[str] = Counter()
    names = []
    for medium in clip.media:
        seen[medium.kind] += 1
        names.append(f"{medium.kind} {seen[medium.kind]}")
    return tuple(names)
