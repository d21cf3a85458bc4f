"""Scene and item -> the texts of every part that the model plays: prompts and good replies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from aurelia_plugin.benchmark.atlas import ATLAS, ATTRIBUTES
from aurelia_plugin.benchmark.schema import Item
from aurelia_plugin.benchmark.synthetic.avsd import MOTION_PHRASES
from aurelia_plugin.benchmark.synthetic.columns import Sample
from aurelia_plugin.benchmark.synthetic.draw import INSTRUMENT_OF
from aurelia_plugin.benchmark.synthetic.scene import Scene
from aurelia_plugin.benchmark.vocabulary import COLOURS, INSTRUMENTS, PLACES, SHAPES
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.task_yamls.avreasonbench_mini.utils import doc_to_text

__all__ = [
    "ROLES",
    "Exchange",
    "Note",
    "conclusions",
    "corrupted",
    "exchanges",
    "looks",
    "shuffled_atlas",
]

ROLES = (
    "direct",
    "follow",
    "explore",
    "look",
    "cot",
    "reason",
    "improve",
    "summarize",
    "evaluate",
    "conclude",
    "told",
    "drill",
)
"""The parts: answers directly, follows the question's steps, follows other steps, follows one step
without a question, makes its own steps, writes the reasoner's steps, improves bad steps, writes the
caption, scores a caption; and without any clip: concludes from findings that are written already,
answers directly from a caption, does exercises in reading."""

UNCLEAR = "unclear"


class Note(NamedTuple):
    """A step and what is found."""

    step: str
    finding: str


class Exchange(NamedTuple):
    """One prompt with a good reply.

    `agent`: media are named as the loop names them. `given`: what stands at the reply's beginning
    already and is not learnt.
    """

    role: str
    prompt: str
    reply: str
    agent: bool
    sees_clip: bool = True
    given: str = ""


_GROUPS: tuple[tuple[str, ...], ...] = (
    COLOURS,
    SHAPES,
    INSTRUMENTS,
    tuple(MOTION_PHRASES.values()),
    ("rising", "falling", "level", "hill", "valley"),
    PLACES,
    ("yes", "no"),
    ("the first", "the second"),
    ("before", "between", "after"),
    ("huge", "tiny"),
    ("deep", "squeaky"),
    ("fast", "slow"),
    ("it bounces", "it keeps still"),
    ("They fit.", "They do not fit."),
    ("Audio 1", "Audio 2", "Audio 3", "Audio 4"),
    (
        "The flash comes first, then the sound.",
        "The sound comes first, then the flash.",
        "The flash and the sound come at the same moment.",
    ),
)
_NUMBER = re.compile(r"\d\.\d")

_LABELS: tuple[tuple[str, str | None], ...] = (
    (r"Which instruments are in the picture, from left to right\?", "seen from left to right"),
    (r"Which instruments can be heard\?", "heard"),
    (r"Which instrument is heard\?", "heard"),
    (r"Which instruments are both seen and heard\?", "seen and heard"),
    (r"Which instrument is (.+)\?", r"\1"),
    (r"Which heard instruments are missing .*", "heard but not seen"),
    (r"Which of the heard instruments is louder\?", "louder"),
    (r"What colour is the shape\?", "colour"),
    (r"How does the shape move\?", "movement"),
    (r"What is the shape doing\?", "movement"),
    (r"Compare the pitch .*", "melody"),
    (r"How does the melody .*", "melody"),
    (r"When does the sound start\?", "sound starts"),
    (r"When does the shape start .*", "movement starts"),
    (r"When does the sound start, and .*", "starts"),
    (r"Which shape is in the picture, and .*", "shape"),
    (r"Which shape is in the picture\?", "shape"),
    (r"When does the shape light up\?", "flash"),
    (r"When is the sound heard\?", "sound"),
    (r"Compare the two moments\.", "order"),
    (r"Which shape lights up at that moment\?", "lights up with the sound"),
    (r"Is the (.+) shown in .*", r"half of the \1"),
    (r"Which instrument plays in that half\?", "heard in that half"),
    (r"Which instrument is heard first, and .*", "instruments in order"),
    (r"Is the flash before, .*", "flash"),
    (r"How often does the shape .*", "movement in one second"),
    (r"How many beats per second .*", "beats in one second"),
    (r"Which of the four counts .*", "same beat"),
    (r"Which stripe colours .*", "stripes"),
    (r"How large is the shape\?", "size"),
    (r"How high or low is the sound\?", "voice"),
    (r"Does the shape bounce .*", "movement"),
    (r"Are thuds heard\?", "thuds"),
    (r"How quickly does the shape .*", "speed of the shape"),
    (r"How quickly does the music .*", "speed of the music"),
    (r"Do picture and sound fit .*", "picture and sound"),
    (r"Which region .*", None),
    (r"Look up .*", None),
)


def _label(step: str) -> str | None:
    for pattern, label in _LABELS:
        match = re.fullmatch(pattern, step)
        if match:
            return match.expand(label) if label else None
    return step.rstrip("?.").lower()


def caption(notes: Sequence[Note]) -> str:
    """Return the caption that states the notes that can be seen or heard in the clip."""
    said = [f"{label}: {n.finding.rstrip('.')}" for n in notes if (label := _label(n.step))]
    return "; ".join(said) + "."


def _swapped(text: str, rng: np.random.Generator) -> str:
    """Return the text with one value replaced by another one of its kind."""
    spots = [
        (match.start(), match.end(), group)
        for group in _GROUPS
        for value in group
        for match in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text)
    ]
    numbers = list(_NUMBER.finditer(text))
    if not spots and not numbers:
        return "drum" if text != "drum" else "bell"
    chosen = int(rng.integers(len(spots) + len(numbers)))
    if chosen < len(spots):
        start, stop, group = spots[chosen]
        others = [value for value in group if value not in text] or [
            value for value in group if value != text[start:stop]
        ]
        return text[:start] + others[int(rng.integers(len(others)))] + text[stop:]
    match = numbers[chosen - len(spots)]
    value = float(match.group())
    away = float(rng.uniform(0.6, 1.6)) * (1 if value < 1.0 or rng.random() < 0.5 else -1)
    return f"{text[: match.start()]}{max(value + away, 0.1):.1f}{text[match.end() :]}"


def corrupted(finding: str, rng: np.random.Generator) -> str:
    """Return a wrong finding of the same kind; never the finding itself."""
    parts = finding.split(", ")
    if set(parts) <= set(INSTRUMENTS) and rng.random() < 0.4:
        absent = [name for name in INSTRUMENTS if name not in parts]
        if absent and (len(parts) == 1 or rng.random() < 0.5):
            parts.insert(int(rng.integers(len(parts) + 1)), absent[int(rng.integers(len(absent)))])
        elif len(parts) > 1:
            parts.pop(int(rng.integers(len(parts))))
        return ", ".join(parts)
    return _swapped(finding, rng)


def _first_onset(scene: Scene) -> float:
    return min(note.onset for sound in scene.sounds for note in sound.notes)


def _about(seconds: float) -> str:
    return f"after about {seconds:.1f} seconds"


def perceived(scene: Scene) -> list[Note]:
    """Return notes about what any scene shows, whatever is asked."""
    notes = []
    shown = sorted(scene.figures, key=lambda f: f.x)
    whole = all(figure.shown == (0.0, scene.duration) for figure in shown)
    if len(shown) == 1:
        one = shown[0]
        notes += [
            Note("What colour is the shape?", one.colour),
            Note("Which shape is in the picture?", one.shape),
            Note(
                "Which shape is in the picture, and in which colour?", f"{one.colour} {one.shape}"
            ),
        ]
        if not one.flashes:
            notes.append(Note("How does the shape move?", MOTION_PHRASES[one.motion]))
            notes.append(Note("What is the shape doing?", MOTION_PHRASES[one.motion]))
        elif len(one.flashes) == 1:
            notes.append(Note("When does the shape light up?", _about(one.flashes[0])))
    if shown and whole:
        seen = ", ".join(INSTRUMENT_OF[figure.shape] for figure in shown)
        notes.append(Note("Which instruments are in the picture, from left to right?", seen))
    if scene.flag is not None:
        stripes = ", ".join(scene.flag.stripes)
        notes.append(Note("Which stripe colours does the flag have, in order?", stripes))
    timbres = sorted({sound.timbre for sound in scene.sounds if sound.notes})
    heard = ", ".join(timbres) or "none"
    notes.append(Note("Which instruments can be heard?", heard))
    if timbres:
        notes.append(Note("When does the sound start?", _about(_first_onset(scene))))
    if len(timbres) == 1:
        notes.append(Note("Which instrument is heard?", heard))
    if len(timbres) > 1:
        first = min(scene.sounds, key=lambda s: min(n.onset for n in s.notes))
        notes.append(Note("Which instrument is heard first?", first.timbre))
    return notes


_ANYWHERE = (
    "What colour is the shape?",
    "Which shape is in the picture?",
    "How does the shape move?",
    "When does the shape light up?",
    "Which stripe colours does the flag have, in order?",
    "Which instrument is heard?",
    "Which instrument is heard first?",
    "Compare the pitch of the last notes with that of the first notes.",
    "How does the melody of the anthem move?",
    "Which region of the atlas has this flag and this anthem?",
    "How large is the shape?",
    "Are thuds heard?",
    "How many beats per second does each of the four sounds have?",
    "Which of the four counts is the closest to that of the shape?",
    "Which instrument plays in that half?",
    "Which of the heard instruments is louder?",
    "Do picture and sound fit together?",
    "Look up the currency of that region in the atlas.",
    "Which region is its northern neighbour?",
    "Compare the two moments.",
)


def _explored(sample: Sample, notes: Sequence[Note], rng: np.random.Generator) -> list[Note]:
    """Return other steps than the question's: some fit the clip, some do not."""
    known = {note.step: note.finding for note in (*perceived(sample.scene), *notes)}
    pool = [Note(step, finding) for step, finding in known.items()]
    order = rng.permutation(len(pool))
    chosen = [pool[int(k)] for k in order[: 1 + int(rng.integers(3))]]
    if rng.random() < 0.35:
        step = _ANYWHERE[int(rng.integers(len(_ANYWHERE)))]
        if step not in known:
            chosen.insert(int(rng.integers(len(chosen) + 1)), Note(step, UNCLEAR))
    return chosen


def judged(sample: Sample, prompts: PromptSet, rng: np.random.Generator) -> list[Exchange]:
    """Return captions with their scores: of the question's notes, and of a single fact."""
    asked = _asked(sample.item, doc_to_text(sample.item.model_dump(mode="json")))
    own = [note for note in notes_of(sample.item) if _label(note.step)]
    facts = [note for note in (*perceived(sample.scene), *own) if _label(note.step)]
    pools = [own] * bool(own)
    pools += [[facts[int(k)]] for k in rng.permutation(len(facts))[: 1 + int(rng.random() < 0.5)]]
    made = []
    for pool in pools:
        said, score = _scored(pool, rng)
        prompt = prompts.render("evaluator", {"caption": said, "question": asked})
        made.append(Exchange("evaluate", prompt, str(score), True))
    return made


def _lines(notes: Sequence[Note]) -> str:
    return "\n".join(f"{note.step} -> {note.finding}" for note in notes)


def _spoilt(notes: Sequence[Note], other: Sequence[Note], rng: np.random.Generator) -> list[Note]:
    """Return notes with wrong findings, lost steps or steps of another question."""
    bad = [Note(n.step, corrupted(n.finding, rng)) if rng.random() < 0.5 else n for n in notes]
    if len(bad) > 1 and rng.random() < 0.25:
        bad.pop(int(rng.integers(len(bad))))
    if rng.random() < 0.15:
        bad = list(other)
    return bad


def _scored(notes: Sequence[Note], rng: np.random.Generator) -> tuple[str, int]:
    """Return a caption, right or partly wrong, and its score from 1 to 10."""
    clear = [n for n in notes if _label(n.step)]
    if rng.random() < 0.5:
        return caption(clear), 10
    count = 1 + int(rng.integers(len(clear)))
    wrong = {int(k) for k in rng.permutation(len(clear))[:count]}
    said = [
        Note(n.step, corrupted(n.finding, rng)) if k in wrong else n for k, n in enumerate(clear)
    ]
    right = sum(a == b for a, b in zip(said, clear, strict=True))
    return caption(said), 10 if right == len(clear) else 1 + (7 * right) // len(clear)


def exchanges(
    sample: Sample, other: Sequence[Note], prompts: PromptSet, rng: np.random.Generator
) -> list[Exchange]:
    """Return what the model is to say about one clip, in every part that it plays.

    `other` are the notes of another question, for `improve`.
    """
    item = sample.item
    text = doc_to_text(item.model_dump(mode="json"))
    asked = _asked(item, text)
    notes = notes_of(item)
    answer = f"Answer: {_answer(item)}"
    steps = [note.step for note in notes]
    follow = prompts.render("inject", {"steps": steps, "step_answers": ()})
    findings = "\n".join([*(note.finding for note in notes), answer])
    made = [
        Exchange("direct", text, answer, False),
        Exchange("follow", f"{follow}\n\n{text}", findings, False),
        Exchange("reason", prompts.render("reasoner", {"question": asked}), _lines(notes), True),
    ]
    made += looks(sample, prompts, rng, 3)
    long = 0.5 if item.column == "geoiq" else 1.0  # its atlas makes every prompt long
    if rng.random() < 0.3 * long:
        explored = _explored(sample, notes, rng)
        preface = prompts.render(
            "inject", {"steps": [n.step for n in explored], "step_answers": ()}
        )
        found = "\n".join([*(note.finding for note in explored), answer])
        made.append(Exchange("explore", f"{preface}\n\n{text}", found, False))
    if rng.random() < 0.3 * long:
        preface = prompts.render("cot", {})
        made.append(Exchange("cot", f"{preface}\n\n{text}", f"{_lines(notes)}\n{answer}", False))
    if rng.random() < 0.15 * long:
        made.append(_improve(asked, notes, other, prompts, rng))
    made += judged(sample, prompts, rng)
    return made


_CONCLUDED = re.compile(
    r"Which region .*|Look up .*|Which instruments are both .*|Which heard instruments are missing "
    r".*|Compare the two moments\.|Which of the four counts .*|Do picture and sound fit .*"
)
"""Steps whose finding follows from the findings before them and from the question."""
_ATLAS_LINE = re.compile(
    r"- (?P<name>\w+): flag (?P<flag>[^;]+); anthem (?P<melody>\w+)"
    r"(?:; (?P<attribute>(?!northern)\w+) (?P<fact>\w+))?(?:; northern neighbour (?P<north>\w+))?"
)


class _Case(NamedTuple):
    """Notes that fit a question's text, whatever a clip shows, and the answer that follows."""

    notes: list[Note]
    answer: str


def _cases(item: Item) -> list[_Case]:
    """Return the question's own case; of an atlas, one for each of its regions."""
    own = [_Case(notes_of(item), _answer(item))]
    if item.column != "geoiq":
        return own
    lines = {m["name"]: m for m in _ATLAS_LINE.finditer(item.question)}
    cases = []
    for line in lines.values():
        told = [line["flag"], line["melody"], line["name"]]
        at = line
        if line["north"]:
            told.append(line["north"])
            at = lines[line["north"]]
        if at["attribute"]:
            told.append(at["fact"])
        steps = [note.step for note in own[0].notes]
        notes = [Note(step, finding) for step, finding in zip(steps, told, strict=True)]
        cases.append(_Case(notes, told[-1]))
    return cases


def conclusions(sample: Sample, prompts: PromptSet, rng: np.random.Generator) -> list[Exchange]:
    """Return exchanges without a clip: what is perceived is given, what follows is learnt.

    Once as findings that are written already (`conclude`), once as a caption that a direct answer
    has to be read from (`told`), so that both ways of answering get as much of it.
    """
    item = sample.item
    text = doc_to_text(item.model_dump(mode="json"))
    asked = _asked(item, text)
    made = []
    for case in _cases(item):
        count = next(
            (k for k, note in enumerate(case.notes) if _CONCLUDED.fullmatch(note.step)),
            len(case.notes),
        )
        seen, answer = case.notes[:count], f"Answer: {case.answer}"
        said = caption(seen)
        made.append(Exchange("told", f"{said}\n\n{text}", answer, False, sees_clip=False))
        if rng.random() < 0.3 and count < len(case.notes):
            prompt = prompts.render("reasoner", {"question": asked})
            given, reply = _lines(seen) + "\n", _lines(case.notes)
            made.append(Exchange("conclude", prompt, reply, True, sees_clip=False, given=given))
            continue
        steps = [note.step for note in case.notes]
        preface = prompts.render("inject", {"steps": steps, "step_answers": ()})
        reply = "\n".join([*(note.finding for note in case.notes), answer])
        given = "".join(f"{note.finding}\n" for note in seen)
        prompt = f"{preface}\n\n{text}"
        made.append(Exchange("conclude", prompt, reply, False, sees_clip=False, given=given))
    if rng.random() < 0.4:
        made.append(_summary(asked, notes_of(item), prompts, rng))
    return made


def _summary(
    asked: str, notes: Sequence[Note], prompts: PromptSet, rng: np.random.Generator
) -> Exchange:
    """Return notes, right or wrong, with the caption that says them."""
    maybe = _spoilt(notes, notes, rng)
    values = {
        "question": asked,
        "steps": [n.step for n in maybe],
        "step_answers": [n.finding for n in maybe],
        "final_answer": None,
    }
    prompt = prompts.render("summarizer", values)
    return Exchange("summarize", prompt, caption(maybe), True, sees_clip=False)


_OUTLINES = (
    "Which shape is in the picture",
    "Which instruments are in the picture",
    "Which instrument is on the",
    "Which instrument is in the",
)


def looks(
    sample: Sample, prompts: PromptSet, rng: np.random.Generator, most: int = 6
) -> list[Exchange]:
    """Return single steps about the clip without a question: what seeing and hearing begin with."""
    notes = {n.step: n.finding for n in (*perceived(sample.scene), *notes_of(sample.item))}
    usable = [Note(step, found) for step, found in notes.items() if _label(step) is not None]
    mixed = [usable[int(k)] for k in rng.permutation(len(usable))]
    if rng.random() < 0.6:  # outlines are what it learns last
        mixed.sort(key=lambda note: not note.step.startswith(_OUTLINES))
    chosen = mixed[:most]
    return [
        Exchange(
            "look",
            prompts.render("inject", {"steps": [note.step], "step_answers": ()}),
            note.finding,
            False,
        )
        for note in chosen
    ]


def _improve(
    asked: str,
    notes: Sequence[Note],
    other: Sequence[Note],
    prompts: PromptSet,
    rng: np.random.Generator,
) -> Exchange:
    bad = _spoilt(notes, other, rng)
    right = sum(a == b for a, b in zip(bad, notes, strict=False))
    score = int(np.clip(1 + (7 * right) // len(notes) + int(rng.integers(-1, 2)), 1, 10))
    values = {
        "question": asked,
        "steps": [n.step for n in bad],
        "step_answers": [n.finding for n in bad],
        "caption": caption(bad),
        "score": score,
        "feedback": None,
    }
    return Exchange("improve", prompts.render("feedback", values), _lines(notes), True)


def notes_of(item: Item) -> list[Note]:
    """Return the item's own steps with their answers."""
    return [
        Note(step, finding)
        for step, finding in zip(item.reasoning_steps or (), item.step_answers or (), strict=True)
    ]


def _answer(item: Item) -> str:
    # One wording for every answer in a sentence: wording is not what is learnt here.
    return item.references[0] if item.references else item.answer


def _asked(item: Item, text: str) -> str:
    """Return the question as the loop words it: separate sounds appear as `[audio 1]`."""
    places = [f"Audio {k}:\n[audio {k}]" for k in range(1, len(item.audios) + 1)]
    return "\n".join([*places, text])


_NAMES: dict[str, tuple[str, ...]] = {
    attribute: tuple(
        dict.fromkeys(r.name if attribute == "region" else getattr(r, attribute) for r in ATLAS)
    )
    for attribute in ("region", *ATTRIBUTES)
}


def shuffled_atlas(item: Item, rng: np.random.Generator) -> Item:
    """Return a question about an atlas with the same names in other places.

    Otherwise the names could be learnt by heart instead of being looked up in the question.
    """
    exchange: dict[str, str] = {}
    for names in _NAMES.values():
        exchange |= {names[k]: names[int(to)] for k, to in enumerate(rng.permutation(len(names)))}
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, exchange)) + r")\b")

    def new(text: str) -> str:
        return pattern.sub(lambda match: exchange[match.group()], text)

    return item.model_copy(
        update={
            "question": new(item.question),
            "answer": new(item.answer),
            "step_answers": tuple(map(new, item.step_answers or ())),
            "facts": {key: new(value) for key, value in item.facts.items()},
        }
    )
