"""A model of your own, as target.

    lmms-eval --model aurelia --tasks avreasonbench_mini --output_path results/own --log_samples \
        --model_args target=python:examples/own_model.py:FirstOption,condition=none

It gives the first option, or the number of sounds; put your model's call in its place.
"""

from __future__ import annotations

from aurelia_plugin.calling.backend import Evidence, Prompt, Reply, Text, Usage


class FirstOption:
    """Answers without looking, and says so: nothing is counted as delivered."""

    async def __call__(self, prompt: Prompt) -> Reply:
        """Answer a prompt.

        Args:
            prompt: its clip has `videos`, `audios` and `images`; its parts are text and media, in
                the order in which a model should get them.
        """
        asked = "".join(part.text for part in prompt.parts() if isinstance(part, Text))
        answer = "A" if "\nA." in asked else str(len(prompt.clip.audios))
        left_out = tuple(f"video: {type(self).__name__} has no eyes" for _ in prompt.clip.videos)
        return Reply(
            text=f"Answer: {answer}",
            usage=Usage(),
            evidence=Evidence(dropped=left_out),
            model="first-option",
        )
