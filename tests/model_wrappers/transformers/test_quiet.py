from __future__ import annotations

import logging

import pytest

from aurelia_plugin.model_wrappers.transformers.quiet import quiet


def test_only_remarks_that_say_nothing_are_kept_out(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet()
    quiet()
    log = logging.getLogger("transformers.models.qwen2_vl.video_processing_qwen2_vl")
    # The library's own loggers may or may not pass on what they get, as others have set them.
    monkeypatch.setattr(log, "propagate", False)
    monkeypatch.setattr(log, "handlers", [caplog.handler])
    log.setLevel(logging.WARNING)
    log.warning("Qwen2VL video processing does not apply the per-frame pixel cap the reference has")
    log.warning("a video has no frames")
    assert caplog.messages == ["a video has no frames"]
    assert len(log.filters) == 1
