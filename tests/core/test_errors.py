from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from aurelia_plugin.errors import (
    AureliaError,
    BackendError,
    ConfigError,
    MediaError,
    StoreError,
    TransientError,
)

ERRORS = [
    AureliaError("what", "fix"),
    ConfigError("what", "fix"),
    StoreError("what", "fix"),
    MediaError(Path("/a b/clip.mp4"), "cause", "fix"),
    BackendError("svc", "what", "fix"),
    TransientError("svc", "what", "fix", retry_after=2.5),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("send", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy])
def test_an_error_reaches_another_process_whole(error: AureliaError, send: object) -> None:
    again = send(error)  # type: ignore[operator]
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert (again.what, again.fix) == (error.what, error.fix)
    for name in ("backend", "cause", "retry_after"):
        assert getattr(again, name, None) == getattr(error, name, None)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_the_fix_is_the_last_line(error: AureliaError) -> None:
    assert isinstance(error, AureliaError)
    assert str(error).splitlines()[-1] == "fix"


def test_what_was_concerned_is_named() -> None:
    assert str(ERRORS[3]) == "/a b/clip.mp4: cause\nfix"
    assert str(ERRORS[4]) == "svc: what\nfix"
