"""Faults of what lies in a data set's folder, and of the decoders that open it.

Every third question has a file of the kind; it has to fail with an error that names the file, and
the others have to be answered as if there were none.
"""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import faulty_decoders
from fake_servers import serving
from odd_files.catalogue import odd_files
from odd_files.reference import make_reference

from aurelia_plugin.calling.backend import Prompt
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.content import coerce
from aurelia_plugin.media.isolation.limits import configure, current_limits
from aurelia_plugin.model_wrappers.openai.backend import OpenAIBackend
from faults.counting import Tally
from faults.world import Service, Watched, outcomes, right

MakeFile = Callable[[Path, int], Path]
"""Makes the bad file of a question in a folder, given the question's number."""


def _decoder(function: Callable[[Path], int]) -> Callable[[int], Iterator[MakeFile]]:
    """Let the decoder of the bad files be one with a real decoder's fault."""

    def prepared(seed: int) -> Iterator[MakeFile]:
        prepare = OpenAIBackend.prepare

        async def faulty(self: OpenAIBackend, prompt: Prompt) -> object:
            for medium in prompt.clip.media:
                if medium.path is not None and medium.path.name.startswith("bad"):
                    function(medium.path)
            return await prepare(self, prompt)

        with mock.patch.object(OpenAIBackend, "prepare", faulty):
            yield lambda folder, number: _copied(folder, f"bad-{number}.mkv")

    return prepared


def _copied(folder: Path, name: str) -> Path:
    (folder / name).write_bytes((folder / "clip.mkv").read_bytes())
    return folder / name


def _refused(seed: int) -> Iterator[MakeFile]:
    """Files that name others, are cut, or hold nothing, under names of media."""
    rng = random.Random(seed)
    kinds = [odd for odd in odd_files() if odd.group == "refused"]
    rng.shuffle(kinds)

    def make(folder: Path, number: int) -> Path:
        odd = kinds[number // 3 % len(kinds)]
        place = folder / f"of-{number}"
        place.mkdir()
        make_reference(place)
        odd.make(place, odd.name)
        return place / odd.name

    yield make


def _damaged(seed: int) -> Iterator[MakeFile]:
    """Clips with the first half of their bytes changed at random."""
    rng = random.Random(seed)

    def make(folder: Path, number: int) -> Path:
        path = _copied(folder, f"bad-{number}.mkv")
        content = bytearray(path.read_bytes())
        for place in range(len(content) // 2):
            if number % 2 or rng.random() < 0.2:
                content[place] = rng.randrange(256)
        path.write_bytes(content)
        return path

    yield make


def _unusable(seed: int) -> Iterator[MakeFile]:
    """Paths at which there is no file to read, or no end of it."""

    def make(folder: Path, number: int) -> Path:
        path = folder / f"bad-{number}.mp4"
        kind = number // 3 % 5
        if kind == 0:
            path.symlink_to(path)
        elif kind == 1:
            os.mkfifo(path)
        elif kind == 2:
            path.mkdir()
        elif kind == 3:
            return folder / ("x" * 300 + ".mp4")
        return path

    yield make


def _raising(seed: int) -> Iterator[MakeFile]:
    """Data sets whose own code raises while a question is made."""
    errors = (KeyError("video"), RuntimeError("a picture is corrupt"), UnicodeError("no text"))

    def make(folder: Path, number: int) -> Path:
        raise errors[number // 3 % len(errors)]

    yield make


FILE_FAULTS: dict[str, Callable[[int], Iterator[MakeFile]]] = {
    "decoder aborts": _decoder(faulty_decoders.aborting),
    "decoder crashes": _decoder(faulty_decoders.crashing),
    "decoder hangs": _decoder(faulty_decoders.hanging),
    "decoder takes memory": _decoder(faulty_decoders.allocating),
    "references and cut files": _refused,
    "damaged clips": _damaged,
    "no file to read": _unusable,
    "a data set raises": _raising,
}


def try_files(name: str, *, questions: int, seed: int = 0) -> Tally:
    """Run questions, every third of which has a file of one kind."""
    tally = Tally(name, questions=questions)
    finished: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory() as temporary,
        _strict_limits(),
        contextlib.contextmanager(FILE_FAULTS[name])(seed) as make,
        serving(Service()) as server,
    ):
        folder = Path(temporary)
        make_reference(folder)
        made: dict[int, Path] = {}

        def media(number: int) -> tuple[Media, ...]:
            if number % 3:
                return (Media.file("video", folder / "clip.mkv"),)
            if number not in made:
                made[number] = make(folder, number)
            return (coerce(str(made[number])),)

        store = Watched(folder / "traces", finished)
        given = outcomes(server.url, store, range(questions), media=media)
    for number, (answer, cause) in enumerate(given):
        bad = number % 3 == 0
        tally.tried += bad
        named = made[number].name if number in made else f"numbers/test/{number}"
        good = bool(cause) and named[:40] in cause if bad else answer == right(number)
        tally.survived += good
        tally.wrong += answer not in ("", right(number))
    tally.lost = questions - tally.survived
    tally.repeated = sum(max(0, times - 1) for times in finished.values())
    return tally


@contextlib.contextmanager
def _strict_limits() -> Iterator[None]:
    """Let decoders hang for a second and take 2 GB, so that the suite comes to an end."""
    before = current_limits()
    configure(isolated=True, memory=2 * 2**30, silent_seconds=1.0)
    try:
        yield
    finally:
        configure(
            isolated=before.isolated, memory=before.memory, silent_seconds=before.silent_seconds
        )
