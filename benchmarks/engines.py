"""The same questions over the same clips through several ways of running one model.

The model is the packaged one, or with `--random` one of the same classes with random weights. Ways:
lmms-eval's own wrapper of Qwen2.5-Omni; in this process, without and with reuse of what a clip
gives; `transformers serve`; and vLLM where the address of one that serves the model is given. All
get the same frames, pixels and sound (a block of its own after the frames: the harness's wrapper
takes no other form).

Every clip is asked about `--each` times, `condition=none`. For each way: questions an hour, bytes
sent to the server, media processed (in this process, as the processor is called; by vLLM, as its
counters say; by `transformers serve`, as they are sent, since it keeps none), and the share of
prompt tokens that came from a cache, beside the most that could: tokens that begin an earlier
prompt, too.

Keys: `ratio_to_harness` (seconds of our path over those of lmms-eval's own wrapper), and for each
way `<way>_questions_an_hour`.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import transformers
from harness_wrapper import harness_model
from questions import make_clips
from relay import relayed
from shared import note, report
from whole_model import instances, whole_model

from aurelia_plugin.calling.backend import Generation, Message, Prompt, Text
from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.shared import forget_decoded
from aurelia_plugin.model_wrappers.aurelia import Aurelia
from aurelia_plugin.model_wrappers.delivery.arrays import prepare
from aurelia_plugin.model_wrappers.delivery.encoding import forget_encoded
from aurelia_plugin.model_wrappers.embedded.backend import TRAINED
from aurelia_plugin.model_wrappers.embedded.untrained import folder as random_folder
from aurelia_plugin.model_wrappers.transformers.backend import (
    TransformersBackend,
    TransformersOptions,
)

_FRAMES = 16
_SYSTEM = transformers.Qwen2_5OmniProcessor  # the class whose calls are counted


class Pass(NamedTuple):
    """One pass over all questions."""

    seconds: float
    answers: list[str]


class Found(NamedTuple):
    """What one way took for all questions.

    Attributes:
        seconds: of the fastest pass.
        sent: bytes to a server, of one pass; None in this process.
        processed: media that went through a processor in one pass.
        cached: share of prompt tokens that came from a cache; None where there is none.
    """

    seconds: float
    sent: int | None = None
    processed: int | None = None
    cached: float | None = None


@contextmanager
def counted() -> Iterator[list[int]]:
    """Count the media that go through the processor of this process."""
    calls: list[int] = []
    own = _SYSTEM.__call__

    def counting(self: Any, *args: Any, **named: Any) -> Any:
        calls.append(sum(len(named.get(kind) or ()) for kind in ("videos", "audio", "images")))
        return own(self, *args, **named)

    _SYSTEM.__call__ = counting
    try:
        yield calls
    finally:
        _SYSTEM.__call__ = own


def fastest(rounds: int, run: Callable[[], Pass]) -> Pass:
    """Return the fastest pass; media are decoded anew in each."""
    passes = []
    for _ in range(rounds):
        forget_decoded()
        forget_encoded()
        passes.append(run())
    return min(passes)


def asked(model: Any, rows: list[dict[str, Any]], tokens: int, *, sounds: bool) -> Pass:
    """Have a model of the harness answer all questions.

    Raises:
        SystemExit: if one has no answer: the harness's wrapper returns nothing where it has failed.
    """
    questions = instances(rows, tokens, sounds=sounds)
    begun = time.perf_counter()
    answers = model.generate_until(questions)
    seconds = time.perf_counter() - begun
    texts = [str(getattr(answer, "text", answer)) for answer in answers]
    if len(texts) != len(rows) or not all(texts):
        raise SystemExit(f"{type(model).__name__}: questions without an answer: {texts}")
    return Pass(seconds, texts)


def ours(spec: str, folder: Path, rows: list[dict[str, Any]], tokens: int) -> Callable[[], Pass]:
    """Return a pass through this package: the lmms-eval model, `condition=none`."""

    def run() -> Pass:
        # Opened for each pass: nothing of the pass before is left in its memory.
        model = Aurelia(target=spec, condition="none", answers="fresh", traces=str(folder))
        model.run.target.load() if isinstance(model.run.target, TransformersBackend) else None
        model.task_dict["engines"] = {"test": rows}
        return asked(model, rows, tokens, sounds=False)

    return run


@contextmanager
def transformers_serve(model: Path) -> Iterator[str]:
    """Serve a model with the library's own server; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(model)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)],
            stdout=log,
            stderr=log,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
        )
        try:
            _await(f"http://127.0.0.1:{port}/health", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(30)


def _await(url: str, process: subprocess.Popen[bytes], log: Any) -> None:
    for _ in range(600):
        if process.poll() is not None:
            log.seek(0)
            raise SystemExit(f"the server ended: {log.read().decode(errors='replace')[-1500:]}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise SystemExit(f"{url} does not answer")


class VllmCounters(NamedTuple):
    """Counters of a vLLM server."""

    prefix_queries: float
    prefix_hits: float
    media_queries: float
    media_hits: float

    @classmethod
    def of(cls, address: str) -> VllmCounters:
        """Read them."""
        with urllib.request.urlopen(address.removesuffix("/v1") + "/metrics", timeout=30) as page:
            text = page.read().decode()
        names = ("prefix_cache_queries", "prefix_cache_hits", "mm_cache_queries", "mm_cache_hits")
        return cls(*(_total(text, f"vllm:{name}_total") for name in names))


def _total(text: str, name: str) -> float:
    found = re.findall(rf"^{re.escape(name)}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
    return sum(map(float, found))


def ideal_share(place: Path, rows: Sequence[dict[str, Any]]) -> float:
    """Return the share of prompt tokens that begin an earlier prompt, too."""
    backend = TransformersBackend(
        str(place), TransformersOptions(max_frames=_FRAMES, soundtrack="after")
    )
    seen: list[list[int]] = []
    shared = total = 0
    for row in rows:
        parts = (Media.file("video", row["video"]), Text(row["question"]))
        prompt = Prompt((Message("user", parts),), Generation())
        loaded = backend.load()
        item = prepare(prompt, loaded.takes, system=loaded.family.system)
        tokens = backend.inputs([item])["input_ids"][0].tolist()
        # A medium's tokens are alike in all clips: only prompts over the same clip count.
        before = [
            ids for ids, other in zip(seen, rows, strict=False) if other["video"] == row["video"]
        ]
        shared += max((_common(tokens, ids) for ids in before), default=0)
        total += len(tokens)
        seen.append(tokens)
    return shared / total


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--each", type=int, default=3, help="questions over each clip")
    parser.add_argument("--tokens", type=int, default=16, help="of a reply at most")
    parser.add_argument("--rounds", type=int, default=2, help="passes, of which the fastest counts")
    parser.add_argument("--sound-seconds", type=int, default=300,
                        help="the longest sound of its extractor (published: 300)")  # fmt: skip
    parser.add_argument("--batch-size", type=int, default=1, help="of our path")
    parser.add_argument("--random", action="store_true", help="random weights")
    parser.add_argument("--serve", action="store_true", help="`transformers serve`, too")
    parser.add_argument(
        "--vllm", default="", help="address of a vLLM, such as http://127.0.0.1:8000/v1"
    )
    parser.add_argument("--vllm-model", default="embedded", help="the name that it serves it under")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        report(compare(options, Path(work)))


def compare(options: argparse.Namespace, work: Path) -> dict[str, float]:
    """Measure all ways, print the table, and return the figures."""
    source = random_folder() if options.random else TRAINED
    place = whole_model(source, work / "model", options.sound_seconds)
    rows = [
        {"video": str(path), "question": f"Question {number}: which instrument is played?"}
        for path in make_clips(work, options.clips)
        for number in range(options.each)
    ]
    found = dict(in_this_process(options, place, work, rows))
    served = f"max_frames={_FRAMES}&soundtrack=after&concurrency=4"
    if options.serve:
        # The thinker: with the whole model's class that server does not answer unless it speaks.
        with transformers_serve(source) as server, relayed(server) as relay:
            spec = f"openai:{source}?server=transformers&base_url={relay.address}&{served}"
            run = ours(spec, work / "traces", rows, options.tokens)
            seconds = fastest(1, run).seconds
            found["transformers serve"] = Found(seconds, relay.sent, 2 * len(rows))
    if options.vllm:
        with relayed(options.vllm) as relay:
            model = options.vllm_model
            spec = f"openai:{model}?server=vllm&base_url={relay.address}&{served}"
            before = VllmCounters.of(options.vllm)
            run = ours(spec, work / "traces", rows, options.tokens)
            seconds = fastest(1, run).seconds
            more = VllmCounters(
                *(b - a for a, b in zip(before, VllmCounters.of(options.vllm), strict=True))
            )
            processed = round(more.media_queries - more.media_hits)
            cached = more.prefix_hits / max(1.0, more.prefix_queries)
            found["vLLM"] = Found(seconds, relay.sent, processed, cached)
    show(found, len(rows), 2 * options.clips, ideal_share(place, rows))
    harness = found["lmms-eval's own wrapper"].seconds
    rates = {
        f"{re.sub('[^a-z]+', '_', way.lower())}_questions_an_hour": 3600 * len(rows) / one.seconds
        for way, one in found.items()
    }
    return {"ratio_to_harness": found["this process"].seconds / harness, **rates}


def in_this_process(
    options: argparse.Namespace, place: Path, work: Path, rows: list[dict[str, Any]]
) -> Iterator[tuple[str, Found]]:
    """Yield the harness's wrapper and ours, without and with reuse."""
    theirs = harness_model(place, _FRAMES, rows)
    asked(theirs, rows[:1], options.tokens, sounds=True)  # loads what is loaded once
    with counted() as media:
        own = fastest(options.rounds, lambda: asked(theirs, rows, options.tokens, sounds=True))
    yield "lmms-eval's own wrapper", Found(own.seconds, None, sum(media) // options.rounds)
    note(f"lmms-eval's own wrapper: {own.seconds:.2f} s")
    same = f"dtype=float32&max_frames={_FRAMES}&soundtrack=after&batch_size={options.batch_size}"
    for way, reuse in (("this process, without reuse", 0), ("this process", 4)):
        spec = f"transformers:{place}?{same}&reuse_gib={reuse}"
        run = ours(spec, work / "traces", rows, options.tokens)
        ours(spec, work / "traces", rows[:1], options.tokens)()
        with counted() as media:
            best = fastest(options.rounds, run)
        yield way, Found(best.seconds, None, sum(media) // options.rounds)
        note(f"{way}: {best.seconds:.2f} s")


def show(found: dict[str, Found], questions: int, media: int, ideal: float) -> None:
    """Print the table."""
    print(
        f"{questions} questions over {media} media; the ideal share of a prefix cache: {ideal:.1%}"
    )
    print("| way | questions an hour | MB sent | media processed | prompt tokens from cache")
    for way, one in found.items():
        sent = "-" if one.sent is None else f"{one.sent / 1e6:.2f}"
        cached = (
            "-" if one.cached is None else f"{one.cached:.1%} ({one.cached / ideal:.0%} of ideal)"
        )
        rate = 3600 * questions / one.seconds
        print(f"| {way} | {rate:.0f} | {sent} | {one.processed} | {cached}", flush=True)


if __name__ == "__main__":
    main()
