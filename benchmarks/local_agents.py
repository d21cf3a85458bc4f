"""Questions an hour with agents that are the target itself, run in this process.

One tree of this project is measured: the one that is installed where this script is run. To compare
two commits, run it with the Python of each. It imports nothing of the package but the lmms-eval
model, so it measures commits from before it was written, too.

The model is the packaged one as a whole Qwen2.5-Omni with an extractor of the published length (300
s; `--sound-seconds` sets another one). No caption is good enough, so each question has all its
iterations, and every tree the same work.

Keys: `questions_an_hour`; `replies_a_question` (of agents and target, as the model was asked for
them: to be the same in all trees); `processor_calls_a_clip` and `processor_s` (calls with media,
and the seconds of one, sound and frames together).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import transformers
from shared import note, report, write_clip
from whole_model import instances, whole_model

from aurelia_plugin.model_wrappers import embedded
from aurelia_plugin.model_wrappers.aurelia import Aurelia

_TRAINED = Path(embedded.__file__).parent / "trained"
_MODEL = transformers.Qwen2_5OmniThinkerForConditionalGeneration
_PROCESSOR = transformers.Qwen2_5OmniProcessor


class Made(NamedTuple):
    """What was made in this process.

    Attributes:
        replies: how many in each batch, as the model was asked for them.
        processor: the seconds of each call of the processor with media.
    """

    replies: list[int]
    processor: list[float]


@contextmanager
def counted() -> Iterator[Made]:
    """Count what is made in this process."""
    made = Made([], [])
    generate, process = _MODEL.generate, _PROCESSOR.__call__

    def replying(self: Any, *args: Any, **named: Any) -> Any:
        made.replies.append(len(named["input_ids"]))
        return generate(self, *args, **named)

    def processing(self: Any, *args: Any, **named: Any) -> Any:
        begun = time.perf_counter()
        result = process(self, *args, **named)
        if any(named.get(kind) for kind in ("videos", "audio", "images")):
            made.processor.append(time.perf_counter() - begun)
        return result

    _MODEL.generate, _PROCESSOR.__call__ = replying, processing
    try:
        yield made
    finally:
        _MODEL.generate, _PROCESSOR.__call__ = generate, process


def measure(spec: str, work: Path, rows: list[dict[str, Any]], iterations: int) -> dict[str, float]:
    """Answer all questions but the first, with which things are loaded; return the figures."""
    model = Aurelia(
        target=spec,
        condition="aurelia",
        prompts="embedded",
        max_iterations=iterations,
        threshold=10,
        traces=str(work / "traces"),
    )
    model.task_dict["engines"] = {"test": rows}
    asked = instances(rows, 16, sounds=False)
    model.generate_until(asked[:1])
    with counted() as made:
        begun = time.perf_counter()
        model.generate_until(asked[1:])
        seconds = time.perf_counter() - begun
    questions = len(rows) - 1
    return {
        "questions_an_hour": 3600 * questions / seconds,
        "replies_a_question": sum(made.replies) / questions,
        "processor_calls_a_clip": len(made.processor) / questions,
        "processor_s": sum(made.processor) / len(made.processor),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=6, help="each over a clip of its own")
    parser.add_argument("--iterations", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of a clip")
    parser.add_argument("--sound-seconds", type=int, default=300,
                        help="the longest sound of its extractor (published: 300)")  # fmt: skip
    parser.add_argument("--options", default="", help="more of the target's, such as reuse_gib=0")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        place = whole_model(_TRAINED, work / "model", options.sound_seconds)
        rows = []
        for number in range(options.questions + 1):
            path = work / f"{number}.mp4"
            write_clip(path, options.seconds, seed=number, size=(320, 180), rate=8,
                       hertz=220.0 + 20 * number)  # fmt: skip
            question = "Which instrument is played? A. flute B. drum C. violin D. guitar"
            rows.append({"video": str(path), "question": question})
        set_to = ["dtype=float32", "max_frames=16", "batch_size=1", "max_new_tokens=120"]
        spec = f"transformers:{place}?" + "&".join([*set_to, *filter(None, [options.options])])
        note(f"{options.questions} questions, {options.iterations} iterations each: {spec}")
        report(measure(spec, work, rows, options.iterations))


if __name__ == "__main__":
    main()
