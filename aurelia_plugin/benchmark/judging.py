"""An optional language model that says whether an open answer is right; off by default.

It goes through lmms-eval's own `llm_judge`, so its services and keys are set up as there. It sees
the question, the gold answers and the reply, never the clip. Its verdict is a metric of its own
and never mixed with matching. The parser of `llm_judge` takes every reply for a verdict; ours does
not, and a call that failed or a reply that is no verdict is counted, not scored.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

from aurelia_plugin.benchmark.data.items import Item
from aurelia_plugin.benchmark.reading import as_shown
from aurelia_plugin.benchmark.scoring.verdicts import read_verdict
from aurelia_plugin.calling.thinking import spoken
from aurelia_plugin.errors import ConfigError

__all__ = ["PROMPT", "Judge", "Verdict", "chosen_judge"]

_MODEL: Final = "AVREASONBENCH_JUDGE"
_SERVICE: Final = "API_TYPE"

PROMPT: Final = """\
You compare a reply to a question about a video clip with right answers given by people.
Question: {question}
Right answers: {answers}
Reply: {reply}
Is the reply right? It need not use the same words, but it must mean the same as one of the right \
answers and must not contradict it. End with one line: Answer: yes, or Answer: no."""

_ROOM: Final = 4096
"""New tokens of a verdict: a judge may think before it answers."""


class Verdict(NamedTuple):
    """What the judge said; `right` is None when it gave no verdict, and `problem` says why."""

    right: bool | None
    reply: str
    problem: str | None = None


class _Server(Protocol):
    def evaluate(self, request: object) -> Any: ...


class Judge:
    """A judge model behind a service of `lmms_eval.llm_judge`."""

    def __init__(self, model: str, service: str, server: _Server) -> None:
        self.model = model
        self.service = service
        self._server = server
        self._prompt_digest = hashlib.sha256(PROMPT.encode()).hexdigest()

    def verdict(self, item: Item, reply: str) -> Verdict:
        """Ask whether the reply is right."""
        from lmms_eval.llm_judge import Request

        answers = "; ".join(dict.fromkeys((item.answer, *item.references)))
        text = PROMPT.format(question=item.question, answers=answers, reply=as_shown(reply))
        try:
            response = self._server.evaluate(Request(messages=[{"role": "user", "content": text}]))
        except Exception as error:  # noqa: BLE001 - each service raises its own; all are counted
            return Verdict(None, "", f"{type(error).__name__}: {error}")
        content = str(response.content or "")
        if not response.success:
            return Verdict(None, content, str(response.error_message or "the call failed"))
        said = spoken(content)
        right = None if said.unclosed else read_verdict(said.text)
        problem = "the verdict was cut off in its thinking" if said.unclosed else "no verdict"
        return Verdict(right, content, None if right is not None else problem)

    def results(self, item: Item, reply: str) -> dict[str, Any]:
        """Return the metrics `judged` (where there is a verdict) and `judge_failures`, and the log.

        An empty reply is wrong without asking.
        """
        if not as_shown(reply).strip():
            verdict = Verdict(False, "", None)
        else:
            verdict = self.verdict(item, reply)
        log = {
            "model": self.model,
            "service": self.service,
            "prompt_sha256": self._prompt_digest,
            "reply": verdict.reply,
            "problem": verdict.problem,
        }
        results: dict[str, Any] = {"judge": log, "judge_failures": float(verdict.right is None)}
        if verdict.right is not None:
            results["judged"] = float(verdict.right)
        return results


def chosen_judge() -> Judge | None:
    """Return the judge that `AVREASONBENCH_JUDGE` names (a model), or None where it is not set.

    Raises:
        ConfigError: the service (`API_TYPE`, openai if not set) does not exist or has no key.
    """
    model = os.environ.get(_MODEL, "").strip()
    if not model or model.lower() in ("0", "off", "none", "false"):
        return None
    return _judge(model, os.environ.get(_SERVICE, "openai").strip().lower())


@lru_cache(maxsize=4)
def _judge(model: str, service: str) -> Judge:
    from lmms_eval.llm_judge import ServerConfig, get_server

    config = ServerConfig(
        model_name=model, temperature=0.0, max_tokens=_ROOM, num_retries=3, retry_delay=2.0
    )
    try:
        server = get_server(service, config)
    except ValueError as error:
        raise ConfigError(
            f"{_SERVICE}={service}: {error}",
            f"Set {_SERVICE} to a service of lmms_eval.llm_judge, or unset {_MODEL}.",
        ) from error
    if not server.is_available():
        raise ConfigError(
            f"{_MODEL}={model}: the service {service} has no key or is not reachable",
            f"Set the service's key (openai: OPENAI_API_KEY), or unset {_MODEL} to do without.",
        )
    return Judge(model, service, server)
