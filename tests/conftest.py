from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from loguru import logger
from media.conftest import MakeVideo, grey_frames, make_sound, make_video, tone

# These tests do not ask how quick the machine is.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# Before any test module is imported: huggingface_hub reads it once.
os.environ["HF_HUB_OFFLINE"] = "1"

__all__ = ["clip_file", "make_sound", "make_video"]


@pytest.fixture(scope="session", autouse=True)
def _surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One cache for the session: the embedded model and the mini data are made once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COLUMNS", raising=False)  # tables are as wide as they are
        patch.setenv("AURELIA_CACHE", str(tmp_path_factory.mktemp("aurelia-cache")))
        yield


@pytest.fixture
def caplog(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The log that the package writes to, too: loguru's (see its documentation)."""
    import lmms_eval.models  # noqa: F401 - which removes all handlers when it is imported

    handler = logger.add(caplog.handler, format="{message}", level=0)
    yield caplog
    with contextlib.suppress(ValueError):  # a command has set the log up anew
        logger.remove(handler)


@pytest.fixture
def clip_file(make_video: MakeVideo) -> Path:
    """A real MP4: 2 s, 20 grey frames of 64x48 pixels, a tone of 440 Hz."""
    return make_video("clip.mp4", grey_frames(range(20, 220, 10)), sound=tone(2.0))
