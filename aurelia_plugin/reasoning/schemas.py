"""JSON Schemas of what agents reply, for backends that can enforce one."""

from __future__ import annotations

from typing import Any

from aurelia_plugin.reasoning.roles import JsonKeys

__all__ = ["steps_schema", "verdict_schema"]


def steps_schema(keys: JsonKeys) -> dict[str, Any]:
    """Return the schema of a reasoner's reply: steps, as many answers, a final answer."""
    texts = {"type": "array", "items": {"type": "string"}}
    return _object({keys.steps: texts, keys.answers: texts, keys.final_answer: {"type": "string"}})


def verdict_schema(*, feedback: bool) -> dict[str, Any]:
    """Return the schema of an evaluator's reply: a score, and a text beside it if asked for."""
    score = {"type": "integer", "minimum": 1, "maximum": 10}
    return _object({"score": score, **({"feedback": {"type": "string"}} if feedback else {})})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    """Services that enforce schemas want all keys required and no others allowed."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
