"""Contrastive decoding: what a prompt asks of a backend that has the model's logits.

The methods, their formulas and symbols are those of the papers named at each class; what a backend
does with them is in `model_wrappers/transformers/contrastive`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.digests import digest_of

__all__ = ["Avcd", "Contrast", "Contrasting", "Mad", "without_logits"]


@dataclass(frozen=True)
class Avcd:
    """Audio-Visual Contrastive Decoding (AVCD; Jung et al., NeurIPS 2025, arXiv 2505.20862).

    Attributes:
        alpha: strength of the contrast, the same for picture and sound (section 4.1).
        beta: tokens whose probability is below this share of the likeliest one's are left out
            (supplement B).
        tau: a token of which the plain model is surer than this, by the entropy of its distribution
            in nats, is taken without contrast (section 3.2).
        masked: share of attention weights that count as high, and are set to zero (section 4.1).
    """

    alpha: float = 0.5
    beta: float = 0.1
    tau: float = 0.6
    masked: float = 0.5

    def digest(self) -> str:
        """Return a digest of method and values."""
        return digest_of(["avcd", self.alpha, self.beta, self.tau, self.masked])


@dataclass(frozen=True)
class Mad:
    """Modality-Adaptive Decoding (MAD; Chung et al., CVPR 2026, arXiv 2601.21181).

    Attributes:
        asking: the text that asks the model which modality the question needs, and takes the place
            of the question for that.
        gamma: strength of the contrast (section 4.1.4).
    """

    asking: str
    gamma: float = 2.5

    def digest(self) -> str:
        """Return a digest of method and values."""
        return digest_of(["mad", self.asking, self.gamma])


Contrast = Avcd | Mad


@runtime_checkable
class Contrasting(Protocol):
    """A backend that decodes with a contrast where a prompt asks for one."""

    contrasts: Literal[True]


def without_logits(target: str) -> ConfigError:
    """Return the error that a target cannot decode with a contrast."""
    return ConfigError(
        f"{target} cannot decode with a contrast: that takes the model's logits and its attention "
        "at every token, and this backend gives text alone.",
        "Use a target of the transformers library in this process (transformers:MODEL, "
        "embedded:trained), or another condition.",
    )
