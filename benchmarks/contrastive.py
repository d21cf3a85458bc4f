"""AVCD and MAD beside a slow, plain reading of the papers' formulas, token for token.

Questions of `avreasonbench_mini` with a video that has sound, put to the packaged model in float32.
The reading (`tests/helpers/contrast_reading.py`) keeps nothing between passes, batches nothing and
shares no code with the package. AVCD is read twice: with the paper's threshold of entropy, and with
none, so that every token is chosen in contrast.

Keys: `prompts`; `avcd_equal`, `avcd_always_equal`, `mad_equal`, how many replies agree in every
token; `changed`, how many replies of each differ from plain decoding.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

import contrast_reading
from shared import note, report

from aurelia_plugin.benchmark.data.documents import question_text
from aurelia_plugin.benchmark.data.items import read_items
from aurelia_plugin.benchmark.synthetic.build import folder
from aurelia_plugin.calling.backend import Generation, Message, Prompt, Text
from aurelia_plugin.calling.contrast import Avcd, Contrast, Mad
from aurelia_plugin.media.clip import Media
from aurelia_plugin.model_wrappers.delivery.arrays import prepare
from aurelia_plugin.model_wrappers.embedded.backend import TRAINED
from aurelia_plugin.model_wrappers.transformers.backend import (
    TransformersBackend,
    TransformersOptions,
)
from aurelia_plugin.reasoning.prompting import PromptSet

_COLUMNS = ("music_avqa", "avsd", "compositional", "geoiq", "meme")
_TOKENS = 8


class Beside:
    """The packaged model, and the reading of what it is asked."""

    def __init__(self) -> None:
        self.backend = TransformersBackend(str(TRAINED), TransformersOptions(dtype="float32"))
        loaded = self.backend.load()
        self.model, tokenizer = loaded.model, loaded.processor.tokenizer
        ids = tokenizer.convert_tokens_to_ids
        self.kinds = {
            "picture": [ids("<|VIDEO|>"), ids("<|IMAGE|>")],
            "sound": [ids("<|AUDIO|>")],
        }
        words = ("both", "video", "audio")
        self.words = [tokenizer.encode(word, add_special_tokens=False)[0] for word in words]
        self.end = self.model.generation_config.eos_token_id
        self._decode = tokenizer.decode
        self._prompts = PromptSet()

    def contrasts(self, text: str) -> dict[str, Contrast | None]:
        """Return what is compared, by its key."""
        asking = self._prompts.render("modality", {"question": text})
        return {
            "plain": None,
            "avcd": Avcd(),
            "avcd_always": Avcd(tau=0.0),
            "mad": Mad(asking),
        }

    def reply(self, prompt: Prompt) -> str:
        """Return the package's own reply."""
        return asyncio.run(self.backend(prompt)).text

    def read(self, prompt: Prompt) -> str:
        """Return the reading's reply."""
        contrast, inputs = prompt.contrast, self._inputs(prompt)
        if isinstance(contrast, Mad):
            media = tuple(part for part in prompt.parts() if isinstance(part, Media))
            turn = Message("user", (*media, Text(contrast.asking)))
            asking = self._inputs(replace(prompt, messages=(turn,)))
            tokens = contrast_reading.mad(
                self.model, inputs, asking, self.words, self.kinds,
                gamma=contrast.gamma, steps=_TOKENS, end=self.end,
            )  # fmt: skip
        else:
            assert contrast is not None
            tokens = contrast_reading.avcd(
                self.model, inputs, self.kinds,
                alpha=contrast.alpha, beta=contrast.beta, tau=contrast.tau,
                steps=_TOKENS, end=self.end,
            )  # fmt: skip
        return str(self._decode(tokens, skip_special_tokens=True)).strip()

    def _inputs(self, prompt: Prompt) -> Any:
        return self.backend.inputs([prepare(prompt, self.backend.load().takes)])


def _questions(count: int, done: int) -> Iterator[tuple[Media, str]]:
    each = -(-count // len(_COLUMNS))
    place = folder(20261128, each)
    items = [item for name in _COLUMNS for item in read_items(place / f"{name}.jsonl")]
    for item in items[done:count]:
        assert item.video is not None
        yield Media.file("video", place / item.video), question_text(item)


def main() -> None:
    """Compare, and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=50)
    parser.add_argument("--done", type=int, default=0, help="prompts to leave out, from the first")
    options = parser.parse_args()
    beside = Beside()
    equal: dict[str, int] = {}
    changed: dict[str, int] = {}
    for number, (video, text) in enumerate(
        _questions(options.prompts, options.done), options.done + 1
    ):
        plain = ""
        for name, contrast in beside.contrasts(text).items():
            turn = Message("user", (video, Text(text)))
            prompt = Prompt((turn,), Generation(max_new_tokens=_TOKENS), contrast=contrast)
            reply = beside.reply(prompt)
            if contrast is None:
                plain = reply
                continue
            same = reply == beside.read(prompt)
            equal[name] = equal.get(name, 0) + same
            changed[name] = changed.get(name, 0) + (reply != plain)
        note(f"{number} of {options.prompts}: equal {equal}, changed {changed}")
    report(
        {
            "prompts": options.prompts - options.done,
            **{f"{name}_equal": count for name, count in equal.items()},
            "changed": changed,
        }
    )


if __name__ == "__main__":
    main()
