"""Faults of a service: what it sends instead of a right reply, and what comes of it."""

from __future__ import annotations

import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from fake_servers import Answer, completion, serving

from faults.counting import Tally
from faults.world import Asked, Fault, Service, Watched, answers, right

_MEGABYTE = 1_000_000
_MOST = 3
"""How often in a row one request meets a fault; the run has more attempts than that."""


def _sometimes(answer: Callable[[Asked, random.Random], Answer]) -> Callable[[int], Fault]:
    """Let a fault answer four of ten requests, but no request more than three times."""

    def with_seed(seed: int) -> Fault:
        rng = random.Random(seed)

        def fault(asked: Asked) -> Answer | None:
            hit = rng.random() < 0.4 and asked.seen < _MOST
            return answer(asked, rng) if hit else None

        return fault

    return with_seed


def _said(role: str, *texts: str | None) -> Callable[[int], Fault]:
    """Let an agent say something unusable, each time it is asked for the first time."""

    def with_seed(seed: int) -> Fault:
        rng = random.Random(seed)

        def fault(asked: Asked) -> Answer | None:
            hit = asked.role == role and asked.first and asked.seen == 0
            return completion(rng.choice(texts)) if hit else None

        return fault

    return with_seed


def _damaged(asked: Asked, rng: random.Random) -> Answer:
    body = json.dumps(completion(asked.reply()).body)
    wrong = rng.choice(("<html>busy</html>", body.replace('"', "'"), "\xff\x00", body[1:], ""))
    return Answer(wrong.encode("latin-1"))


def _truncated(asked: Asked, rng: random.Random) -> Answer:
    body = json.dumps(completion(asked.reply()).body)
    return Answer(body[: rng.randrange(1, len(body) - 1)].encode())


def _storm(seed: int) -> Fault:
    """Refuse whole waves of requests, half of them with a time to wait."""
    rng = random.Random(seed)
    left = 8

    def fault(asked: Asked) -> Answer | None:
        nonlocal left
        if left == 0 and rng.random() < 0.05:
            left = rng.randint(5, 12)
        if left == 0:
            return None
        left -= 1
        wait = {"Retry-After": "0.05"} if rng.random() < 0.5 else {}
        return Answer({"error": {"message": "too many"}}, 429, wait)

    return fault


def _any(seed: int) -> Fault:
    """All faults in passing, mixed."""
    rng = random.Random(seed)
    each = [make(seed) for name, make in SERVICE_FAULTS.items() if name != "all mixed"]

    def fault(asked: Asked) -> Answer | None:
        return rng.choice(each)(asked)

    return fault


SERVICE_FAULTS: dict[str, Callable[[int], Fault]] = {
    "reset": _sometimes(lambda asked, rng: Answer({}, how="reset")),
    "cut midway": _sometimes(lambda asked, rng: completion(asked.reply())._replace(how="cut")),
    "slow bytes": _sometimes(lambda asked, rng: completion(asked.reply())._replace(how="slow")),
    "429 storm": _storm,
    "500s": _sometimes(lambda a, rng: Answer({"error": "?"}, rng.choice((500, 502, 503, 504)))),
    "malformed JSON": _sometimes(_damaged),
    "truncated JSON": _sometimes(_truncated),
    "score out of range": _said(
        "evaluator",
        *(json.dumps({"score": s}) for s in (0, 11, -3, 7.5, 1e300, "ten", None, True, [8])),
        '{"score": NaN}',
        '{"score": Infinity}',
        '{"score": 1' + "0" * 400 + "}",
        "0",
        "11/10",
        "between 7 and 8",
    ),
    "wrong language": _said(
        "evaluator",
        "八分，很好。",  # noqa: RUF001
        "نتيجة: ثمانية",
        "Оценка: хорошо",
        "よくできました",
        "{“score”： 八}",  # noqa: RUF001
    ),
    "empty replies": _said("evaluator", "", " ", "\n\n", "```\n```", "<think>hm</think>"),
    "empty steps": _said(
        "reasoner", "", "{}", '{"steps": []}', '{"steps": null}', '{"steps": [""]}'
    ),
    "empty captions": _said("summarizer", "", "  ", "<think>a caption</think>"),
    "megabytes of text": _said(
        "evaluator",
        "{" * _MEGABYTE,
        "[{" * (_MEGABYTE // 2),
        "<think>" * (_MEGABYTE // 7),
        '{"score": ' * (_MEGABYTE // 10),
        "Score: " * (_MEGABYTE // 7),
        "\\" * _MEGABYTE,
    ),
    "all mixed": _any,
}


def try_service(name: str, *, questions: int, seed: int = 0) -> Tally:
    """Run questions against a service with one kind of fault, then once more without faults."""
    numbers = list(range(questions))
    return _tally(name, SERVICE_FAULTS[name](seed), numbers)


def try_duplicates(*, questions: int, seed: int = 0) -> Tally:
    """Items that occur several times, and replies that all have one id."""
    rng = random.Random(seed)
    numbers = [rng.randrange(questions // 3) for _ in range(questions)]
    tally = _tally("duplicate ids", lambda asked: None, numbers)
    tally.tried = len(numbers) - len(set(numbers))
    return tally


def _tally(name: str, fault: Fault, numbers: list[int]) -> Tally:
    service = Service(fault)
    tally = Tally(name, questions=len(numbers))
    finished: Counter[str] = Counter()
    # Whoever sends bytes slowly never comes to an end; others may be slow on a busy machine.
    timeout = 0.4 if name in ("slow bytes", "all mixed") else 30.0
    with tempfile.TemporaryDirectory() as folder, serving(service) as server:
        store = Watched(Path(folder), finished)
        first = answers(server.url, store, numbers, timeout=timeout)
        tally.tried = service.faults
        service.fault = lambda asked: None
        second = answers(server.url, store, numbers)
    wanted = [right(number) for number in numbers]
    for given in (first, second):
        tally.wrong += sum(a not in ("", w) for a, w in zip(given, wanted, strict=True))
    tally.survived = sum(a == w for a, w in zip(second, wanted, strict=True))
    tally.lost = len(numbers) - tally.survived
    tally.repeated = sum(max(0, times - 1) for times in finished.values())
    return tally
