"""A backend that answers from a script: for tests, for examples, and for trying a task offline."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import yaml

from aurelia_plugin.calling.backend import Prompt, Reply, Text, Usage, cut_at
from aurelia_plugin.errors import BackendError, ConfigError
from aurelia_plugin.files.digests import digest_of_path
from aurelia_plugin.model_wrappers.options import BackendOptions

__all__ = ["OPTIONS", "ScriptedBackend", "ScriptedOptions", "open_backend"]

Script = Callable[[Prompt], "str | Reply | Awaitable[str | Reply]"]


class ScriptedOptions(BackendOptions):
    """Options of `scripted:FILE`: none."""


OPTIONS = ScriptedOptions


class ScriptedBackend:
    """Answers from a list, a callable, or rules.

    Args:
        script: a callable that takes the prompt and returns text or a `Reply` (it may be async,
            and may raise to play a failure); or a list whose entries are texts, served in turn,
            and rules `{"contains": ..., "reply": ...}` or `{"contains": ..., "error": ...}`, of
            which the first whose words stand in the prompt's text answers. A rule without
            `contains` fits every prompt. Rules go before texts.
        identity: names the script in stored keys; two scripts that answer differently need two
            identities.

    Raises:
        ConfigError: when called after all texts have been served.
    """

    def __init__(
        self,
        script: Script | Sequence[str | Mapping[str, str]],
        *,
        identity: str = "scripted",
    ) -> None:
        self._identity = identity
        self._lock = threading.Lock()
        self.prompts: list[Prompt] = []
        self._answer: Script
        if callable(script):
            self._answer = script
        else:
            self._rules = [entry for entry in script if not isinstance(entry, str)]
            self._texts = [entry for entry in script if isinstance(entry, str)]
            self._served = 0
            self._answer = self._from_list

    @property
    def identity(self) -> str:
        """The script's name."""
        return self._identity

    @property
    def concurrency(self) -> int:
        """object number of calls may be under way; a few are enough to keep a run going."""
        return 8

    async def __call__(self, prompt: Prompt) -> Reply:
        """Answer from the script; `prompts` keeps what was asked."""
        with self._lock:
            self.prompts.append(prompt)
            answer = self._answer(prompt)
        if inspect.isawaitable(answer):
            answer = await answer
        if isinstance(answer, Reply):
            return answer
        text = cut_at(answer, prompt.generation.until)
        words = sum(len(part.text.split()) for part in prompt.parts() if isinstance(part, Text))
        usage = Usage(input_tokens=words, output_tokens=len(text.split()))
        return Reply(text=text, usage=usage, model=self._identity)

    async def close(self) -> None:
        """Hold nothing."""

    def _from_list(self, prompt: Prompt) -> str:
        text = "\n".join(part.text for part in prompt.parts() if isinstance(part, Text))
        for rule in self._rules:
            if rule.get("contains", "") in text:
                if "error" in rule:
                    raise BackendError(
                        self._identity, rule["error"], "The script asks for this failure."
                    )
                return rule["reply"]
        if self._served == len(self._texts):
            raise ConfigError(
                f"{self._identity}: no rule fits, and all {len(self._texts)} texts are served.",
                "Add texts or rules to the script.",
            )
        self._served += 1
        return self._texts[self._served - 1]


def open_backend(model: str, _: ScriptedOptions) -> ScriptedBackend:
    """Return the backend of `scripted:FILE`.

    Raises:
        ConfigError: if the file is missing or is not a list of texts and rules.
    """
    path = Path(model).expanduser()
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(
            f"scripted:{model}: {error}", "Name a YAML file with a list of replies."
        ) from error
    if not isinstance(entries, list) or not all(_is_entry(entry) for entry in entries):
        raise ConfigError(
            f"{path}: not a list of replies.",
            "Write a list of texts, or of mappings {contains: ..., reply: ...}.",
        )
    identity = f"scripted:{digest_of_path(path)[:12]}"
    return ScriptedBackend(entries, identity=identity)


def _is_entry(entry: object) -> bool:
    if isinstance(entry, str):
        return True
    return (
        isinstance(entry, dict)
        and all(isinstance(value, str) for value in entry.values())
        and set(entry) <= {"contains", "reply", "error"}
        and len({"reply", "error"} & set(entry)) == 1
    )
