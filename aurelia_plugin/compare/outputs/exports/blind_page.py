"""The page of exported text-only tasks, as contributions to lm-evaluation-harness have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aurelia_plugin.compare.result import RunInfo

__all__ = ["GROUP", "readme"]

GROUP: Final = "aurelia_blind"
_DESCRIPTIONS: Final = {
    "question": "the question alone: what needs no clip at all.",
    "question_steps": "the question behind the best reasoning steps, as a target reads them.",
    "question_caption": "the question behind the best caption of the clip.",
}


def readme(used: Mapping[str, Sequence[object]], total: int, run: RunInfo | None) -> str:
    """Return the page in the form of lm-evaluation-harness's `templates/new_yaml_task`."""
    rows = "\n".join(
        f"* `{GROUP}_{v}`: {_DESCRIPTIONS[v]} {len(used[v])} of {total} questions." for v in used
    )
    steps = f"Steps and captions: {run.label} ({run.target})." if run is not None else ""
    return f"""# Text-only questions about audio-visual clips

### Paper

Title: `AURELIA: Test-time Reasoning Distillation in Audio-Visual LLMs`

Abstract: https://arxiv.org/abs/2503.23219

The questions of an audio-visual benchmark without their clips: how much of a score needs none.
{steps}

### Citation

```
@article{{chowdhury2025aurelia,
  title={{AURELIA: Test-time Reasoning Distillation in Audio-Visual LLMs}},
  author={{Chowdhury, Sanjoy and others}},
  journal={{arXiv preprint arXiv:2503.23219}},
  year={{2025}}
}}
```

### Groups, Tags, and Tasks

#### Groups

* `{GROUP}`: all variants, their means weighted by size.

#### Tags

None.

#### Tasks

{rows}

```bash
pip install lm_eval pycocoevalcap
lm_eval --model hf --model_args pretrained=MODEL --include_path . --tasks {GROUP} \\
  --output_path results --log_samples
aurelia compare none=RUN aurelia=RUN text=results
```

### Checklist

For adding novel benchmarks/datasets to the library:
* [x] Is the task an existing benchmark in the literature? Its questions are; asking them
  without the clip is a control of ours.
  * [x] Have you referenced the original paper that introduced the task?
  * [ ] If yes, does the original paper provide a reference implementation? None for text
    alone; replies are read by the parser of the audio-visual runs, which is in `utils.py`.

If other tasks on this dataset are already supported:
* [x] Is the "Main" variant of this task clearly denoted? `{GROUP}_question`.
* [x] Have you provided a short sentence in a README on what each new variant adds / evaluates?
* [x] Have you noted which, if any, published evaluation setups are matched by this variant? None.

### Changelog

* 1.0: first version.
"""
