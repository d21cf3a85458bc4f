"""Caption metrics of the COCO caption evaluation: BLEU, ROUGE_L, CIDEr; METEOR and SPICE with Java.

The scorers are those of `pycocoevalcap`. Its tokeniser is a Java program; `words` follows the same
rules in Python, so that figures do not depend on whether Java is installed.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import io
import math
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from loguru import logger
from pycocoevalcap.bleu.bleu import Bleu  # type: ignore[import-untyped]
from pycocoevalcap.cider.cider import Cider  # type: ignore[import-untyped]
from pycocoevalcap.meteor.meteor import Meteor  # type: ignore[import-untyped]
from pycocoevalcap.rouge.rouge import Rouge  # type: ignore[import-untyped]
from pycocoevalcap.spice.spice import Spice  # type: ignore[import-untyped]

__all__ = [
    "CAPTION_METRICS",
    "Caption",
    "CaptionValue",
    "bleu",
    "bleu_1",
    "bleu_2",
    "bleu_3",
    "bleu_4",
    "caption_values",
    "cider",
    "cider_each",
    "meteor",
    "rouge_l_mean",
    "spice",
    "without_stop_tokens",
    "words",
]


_STOP_TOKENS: Final = frozenset({",", "."})
_CLITIC = re.compile(r"(?<=\w)(n't|'(?:s|m|d|re|ve|ll))(?!\w)")
_JOINED = re.compile(r"\b(can)(not)\b|\b(gon|wan)(na)\b|\b(got)(ta)\b")
_TOKEN = re.compile(
    r"n't(?!\w)|'(?:s|m|d|re|ve|ll)(?!\w)"  # clitics, split off before
    r"|(?<!\w)(?:[^\W\d_]\.){2,}"  # u.s.
    r"|\d+(?:[.,:/]\d+)+"
    r"|\w+(?:[-.&/]\w+)*"
    r"|[%$#&@*+=]"
    r"|[()\[\]{}]"
)
# The Java tokeniser names brackets, and the evaluation forgets to drop the names in lower case.
_BRACKETS: Final = dict(
    zip("()[]{}", ["-lrb-", "-rrb-", "-lsb-", "-rsb-", "-lcb-", "-rcb-"], strict=True)
)
_SPICE_MODELS: Final = "stanford-corenlp-3.6.0-models.jar"


class Caption(NamedTuple):
    """One reply and what it is compared with, both as tokens separated by spaces."""

    said: str
    references: tuple[str, ...]


class CaptionValue(dict[str, Any]):
    """What a corpus metric gets per item.

    As a dictionary it holds what the harness logs and clusters by: `video`, and `score` once a
    metric that has one per item was computed. The texts ride along as an attribute, so that the
    log of samples does not repeat them for every metric.
    """

    def __init__(self, caption: Caption, video: str) -> None:
        super().__init__(video=video)
        self.caption = caption

    def __reduce__(self) -> tuple[type[CaptionValue], tuple[Caption, str], None, None, Any]:
        return type(self), (self.caption, self["video"]), None, None, iter(self.items())


def words(text: str) -> str:
    """Return lower-case tokens separated by single spaces, without punctuation.

    The rules are those of the Java tokeniser of the COCO caption evaluation: contractions are
    split as in the Penn Treebank ("don't" is "do n't"), words with a hyphen stay whole. The two
    differ on abbreviations ("mr.") and repeated marks ("!!"), which the evaluation keeps.
    """
    text = text.lower().replace("\u2019", "'").replace("_", " ")
    text = _JOINED.sub(lambda match: " ".join(part for part in match.groups() if part), text)
    tokens: list[str] = _TOKEN.findall(_CLITIC.sub(r" \1", text))
    return " ".join(_BRACKETS.get(token, token) for token in tokens)


def without_stop_tokens(sentence: str) -> str:
    """Remove the tokens "," and "." as the DSTC evaluation does from a system's answers."""
    return " ".join(token for token in sentence.split() if token not in _STOP_TOKENS)


def caption_values(
    text: str, references: Sequence[str], cluster: str, *, stop_tokens: bool = True
) -> dict[str, CaptionValue]:
    """Return the values of all corpus metrics for one reply to a free-text item.

    Args:
        text: the sentence that was read.
        references: right sentences.
        cluster: the video, for errors clustered by it.
        stop_tokens: whether the tokens "," and "." stay; the DSTC evaluation drops them.
    """
    said = words(text if stop_tokens else without_stop_tokens(text))
    caption = Caption(said, tuple(words(reference) for reference in references))
    return {name: CaptionValue(caption, cluster) for name in CAPTION_METRICS}


def _pairs(captions: Sequence[Caption]) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    references = {index: list(caption.references) for index, caption in enumerate(captions)}
    return references, {index: [caption.said] for index, caption in enumerate(captions)}


def bleu(captions: Sequence[Caption]) -> tuple[float, float, float, float]:
    """Return corpus BLEU-1 to BLEU-4, 0..1."""
    with contextlib.redirect_stdout(io.StringIO()):  # the scorer prints its lengths
        score, _ = Bleu(4).compute_score(*_pairs(captions), verbose=0)
    return tuple(float(value) for value in score)  # type: ignore[return-value]


def cider_each(captions: Sequence[Caption]) -> list[float]:
    """Return CIDEr-D per item, 0..10; document frequencies are those of all items' references.

    One item alone has no frequencies to tell words apart by: its CIDEr is 0.
    """
    _, each = Cider().compute_score(*_pairs(captions))
    return [float(value) for value in each]


def rouge_each(captions: Sequence[Caption]) -> list[float]:
    """Return ROUGE_L per item, 0..1; 0 for an empty reply or empty references."""
    return [
        float(Rouge().calc_score([said], [r for r in references if r]))
        if said and any(references)
        else 0.0
        for said, references in captions
    ]


def _captions(values: Sequence[CaptionValue]) -> list[Caption]:
    return [value.caption for value in values]


def _scored(values: Sequence[CaptionValue], scores: Sequence[float]) -> float:
    # The harness computes errors, clustered by video, from a field `score` of the same values.
    for value, score in zip(values, scores, strict=True):
        value["score"] = score
    return sum(scores) / len(scores)


def bleu_1(values: Sequence[CaptionValue]) -> float:
    """Aggregate corpus BLEU-1."""
    return bleu(_captions(values))[0]


def bleu_2(values: Sequence[CaptionValue]) -> float:
    """Aggregate corpus BLEU-2."""
    return bleu(_captions(values))[1]


def bleu_3(values: Sequence[CaptionValue]) -> float:
    """Aggregate corpus BLEU-3."""
    return bleu(_captions(values))[2]


def bleu_4(values: Sequence[CaptionValue]) -> float:
    """Aggregate corpus BLEU-4."""
    return bleu(_captions(values))[3]


def cider(values: Sequence[CaptionValue]) -> float:
    """Aggregate CIDEr-D, the mean over items."""
    return _scored(values, cider_each(_captions(values)))


def rouge_l_mean(values: Sequence[CaptionValue]) -> float:
    """Aggregate ROUGE_L, the mean over items."""
    return _scored(values, rouge_each(_captions(values)))


def meteor(values: Sequence[CaptionValue]) -> float:
    """Aggregate METEOR; not a number, with a warning, where Java is missing or fails."""
    if shutil.which("java") is None:
        return _not_computed("METEOR", "Java is not installed")
    try:
        score, each = Meteor().compute_score(*_pairs(_captions(values)))
    except (OSError, ValueError) as error:
        return _not_computed("METEOR", f"its Java program failed: {error}")
    _scored(values, [float(value) for value in each])
    return float(score)


def spice(values: Sequence[CaptionValue]) -> float:
    """Aggregate SPICE; not a number, with a warning, without Java or the models it needs."""
    if shutil.which("java") is None:
        return _not_computed("SPICE", "Java is not installed")
    models = importlib.resources.files("pycocoevalcap.spice") / "lib" / _SPICE_MODELS
    if not models.is_file():
        # Computing would start a download of hundreds of megabytes in the middle of a run.
        return _not_computed(
            "SPICE",
            "its models are not there; fetch them with: python -c 'from pycocoevalcap.spice."
            "get_stanford_models import get_stanford_models as get; get()'",
        )
    try:
        score, _ = Spice().compute_score(*_pairs(_captions(values)))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return _not_computed("SPICE", f"its Java program failed: {error}")
    return float(score)


def _not_computed(metric: str, reason: str) -> float:
    logger.warning("{} is not computed: {}", metric, reason)
    return math.nan


CAPTION_METRICS: Final[Mapping[str, Callable[[Sequence[CaptionValue]], float]]] = {
    "bleu_1": bleu_1,
    "bleu_2": bleu_2,
    "bleu_3": bleu_3,
    "bleu_4": bleu_4,
    "rouge_l": rouge_l_mean,
    "cider": cider,
    "meteor": meteor,
    "spice": spice,
}
"""Name of a metric -> its aggregation over the values of `caption_values`."""
