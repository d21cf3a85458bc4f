"""AURELIA: test-time reasoning in front of any audio-visual model (arXiv 2503.23219).

The model is in the package aurelia-lmms-eval; this module gives it its name here. Settings go into
--model_args, for example `target=qwen2_5_omni,condition=aurelia`.
"""

from lmms_eval.api.instance import Instance
from lmms_eval.api.model import lmms
from lmms_eval.api.registry import register_model
from lmms_eval.imports import optional_import

Wrapped, _ = optional_import("aurelia_plugin.model_wrappers.aurelia", "Aurelia")


@register_model("aurelia")
class Aurelia(Wrapped or lmms):
    """The package's model, or what says how to get it."""

    is_simple = False

    def __init__(self, *args, **kwargs) -> None:
        if Wrapped is None:
            raise ImportError("--model aurelia needs a package: pip install aurelia-lmms-eval")
        super().__init__(*args, **kwargs)

    def generate_until(self, requests: list[Instance]) -> list[str]:
        return super().generate_until(requests)

    def generate_until_multi_round(self, requests: list[Instance]) -> list[str]:
        return super().generate_until_multi_round(requests)

    def loglikelihood(self, requests: list[Instance]) -> list:
        return super().loglikelihood(requests)
