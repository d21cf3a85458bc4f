"""What must hold for any input: each function takes bytes and raises if it does not.

Hypothesis (`test_fuzz.py`) and atheris (`python tests/fuzz`) feed the same functions.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from pydantic import JsonValue, ValidationError

from aurelia_plugin.benchmark.data.checking import check_folder
from aurelia_plugin.benchmark.data.items import MANIFEST, Item, read_items, write_items
from aurelia_plugin.benchmark.importing.drafts import drafts_of, missing_fields, read_rows
from aurelia_plugin.benchmark.importing.options import letter_of, read_options
from aurelia_plugin.benchmark.reading import as_choice, as_name, as_sentence
from aurelia_plugin.benchmark.sample_log import read_samples
from aurelia_plugin.benchmark.scoring.closed_sets import LabelSet, read_label, stated_values
from aurelia_plugin.benchmark.synthetic.vocabulary import VOCABULARY
from aurelia_plugin.calling.backend import Generation, Reply
from aurelia_plugin.calling.prices import Prices
from aurelia_plugin.calling.thinking import without_thinking
from aurelia_plugin.errors import ConfigError, StoreError
from aurelia_plugin.files.strict_json import parse_json
from aurelia_plugin.model_wrappers.services import retry_delay, retry_seconds
from aurelia_plugin.reasoning.parsing import (
    ReadSteps,
    read_lines,
    read_object,
    read_steps,
    read_verdict,
)
from aurelia_plugin.reasoning.question import Question
from aurelia_plugin.reasoning.roles import JsonKeys
from aurelia_plugin.reasoning.trace import Trace
from aurelia_plugin.spec import BackendSpec
from aurelia_plugin.traces.integrity import check_traces
from aurelia_plugin.traces.precomputed import Place, open_precomputed, read_row, reasoning_of
from aurelia_plugin.traces.store import TraceStore

__all__ = ["PROPERTIES"]

_KEYS = JsonKeys()
# Its files are made anew each time: in memory, where that is possible.
_memory = Path("/dev/shm")
_work = tempfile.TemporaryDirectory(prefix="fuzz-", dir=_memory if _memory.is_dir() else None)
_folder = Path(_work.name)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape" if data[:1] < b"\x80" else "replace")


def _storable(*texts: str | None) -> None:
    for text in texts:
        (text or "").encode("utf-8")


def steps_are_texts(data: bytes) -> None:
    for steps in (read_steps(_text(data), _KEYS), read_lines(_text(data))):
        if steps is None:
            continue
        assert isinstance(steps, ReadSteps)
        assert all(isinstance(step, str) and step.strip() for step in steps.steps), steps
        assert len(steps.answers) in (0, len(steps.steps)), steps
    read = read_steps(_text(data), _KEYS)
    if read is not None:
        _storable(*read.steps, *read.answers, read.final_answer)


def a_score_is_one_to_ten(data: bytes) -> None:
    verdict = read_verdict(_text(data))
    if verdict is not None:
        assert type(verdict.score) is int
        assert 1 <= verdict.score <= 10
    read_object(_text(data), "score")
    without_thinking(_text(data))


def an_answer_is_one_of_the_options(data: bytes) -> None:
    text = _text(data)
    options = {"A": "a red car", "B": "two dogs", "C": "Audio 3", "D": "none"}
    assert as_choice(text, options).value in (None, "A", "B", "C", "D")
    label = read_label(
        text, LabelSet("presence", {"yes": ("yes",), "no": ("no",)}, question="Is it?")
    )
    assert label.value in (None, "yes", "no")
    as_name(text)
    as_sentence(text)
    for wordings in VOCABULARY.values():
        assert stated_values(text, wordings) <= set(wordings)


def a_manifest_is_read_or_refused(data: bytes) -> None:
    path = _folder / MANIFEST
    path.write_bytes(data)
    try:
        items = list(read_items(path))
    except ConfigError:
        items = []
    for item in items:
        for name in item.media:
            inside = (_folder / name).resolve()
            assert inside.is_relative_to(_folder.resolve()), name
    if items:
        again = _folder / "again.jsonl"
        write_items(again, items)
        assert list(read_items(again)) == items
    with contextlib.suppress(ConfigError):  # not UTF-8
        report = check_folder(_folder, media=False)
        assert report.good or report.faults or not items


def what_is_imported_is_read_or_refused(data: bytes) -> None:
    for suffix in (".json", ".jsonl", ".csv"):
        path = _folder / f"rows{suffix}"
        path.write_bytes(data)
        try:
            rows = read_rows(path)
            if not missing_fields(rows):
                for draft in drafts_of(rows, "fuzz"):
                    assert isinstance(draft.item, Item)
        except ConfigError:
            pass
        path.unlink()


def a_stored_record_is_read_or_put_aside(data: bytes) -> None:
    store = TraceStore(_folder / "store")
    for kind in ("traces", "calls"):
        place = _folder / "store" / kind / "ab"
        place.mkdir(exist_ok=True)
        (place / "ab1.json").write_bytes(data)
    trace, reply = store.trace("ab1"), store.call("ab1")
    assert trace is None or (isinstance(trace, Trace) and trace.key == "ab1" and trace.finished)
    if reply is not None:
        assert isinstance(reply, Reply)
        store.put_call("ab2", reply)
        assert store.call("ab2") == reply
    key = _text(data[:40])
    try:
        place = store._place("traces", key)
    except StoreError:
        return
    assert place.resolve().is_relative_to(_folder.resolve())


def a_stored_record_is_the_same_to_every_reader(data: bytes) -> None:
    folder = _folder / "read"
    for kind in ("traces", "calls", "votes", "runs"):
        (folder / kind / "ab").mkdir(parents=True, exist_ok=True)
        (folder / kind / "ab" / "ab1.json").write_bytes(data)
    (folder / "runs" / "r.json").write_bytes(data)
    (folder / "runs" / "r.items.jsonl").write_bytes(data)
    report = check_traces(folder)
    bad = {fault.path.relative_to(folder).as_posix() for fault in report.faults}
    assert sum(report.stops.values()) == ("traces/ab/ab1.json" not in bad)
    assert report.calls == ("calls/ab/ab1.json" not in bad)
    assert report.votes == ("votes/ab/ab1.json" not in bad)
    assert report.runs == ("runs/r.json" not in bad)
    for fault in report.faults:
        assert str(fault).isprintable()
        assert len(str(fault)) < 1_000
    read = TraceStore(folder, writable=False)
    finished = [trace for trace in read.traces() if trace.finished]
    assert len(finished) <= sum(report.stops.values())
    assert all(trace.best is None or trace.iterations[trace.best] for trace in finished)
    assert (read.call("ab1") is not None) == bool(report.calls)


def a_sample_log_is_read_or_refused(data: bytes) -> None:
    path = _folder / "20260101_000000_samples_x.jsonl"
    path.write_bytes(data)
    samples, refused = [], None
    try:
        samples = list(read_samples(path))
    except ConfigError as error:
        refused = error.what
    assert refused is None or f"{path}:" in refused
    for sample in samples:
        assert 0.0 <= sample.score <= 1.0
        assert 0.0 <= sample.unparsed <= 1.0
        _storable(sample.item, sample.video, sample.category)


def a_table_of_steps_is_read_or_refused(data: bytes) -> None:
    try:
        value = json.loads(_text(data))
    except (ValueError, RecursionError):
        return
    with contextlib.suppress(ConfigError):
        found = open_precomputed("field:x")(Question("q", (), Generation(), fields={"x": value}))
        assert found is None or all(step.strip() for step in found.steps)
        _storable(*(found.steps if found else ()))
    with contextlib.suppress(ConfigError):
        row = read_row(value, Place(0, 0), "fuzz")
        steps = reasoning_of(row, Place(0, 0), "fuzz")
        assert len(steps.step_answers) in (0, len(steps.steps))
        _storable(*steps.steps, *steps.step_answers)


def options_are_texts_of_letters(data: bytes) -> None:
    value: JsonValue = _text(data)
    with contextlib.suppress(ValueError, RecursionError):
        value = json.loads(_text(data))
    try:
        options = read_options(value)
    except ValueError:
        return
    assert len(options.texts) <= 26
    assert all(isinstance(text, str) for text in options.texts)
    for answer in (*options.texts, *options.labels, _text(data)):
        try:
            letter = letter_of(answer, options)
        except ValueError:
            continue
        assert letter is None or ord(letter) - ord("A") < len(options.texts)


def a_json_text_is_read_or_refused(data: bytes) -> None:
    try:
        value = parse_json(data)
    except ValueError:
        return
    text = json.dumps(value, allow_nan=False)
    assert parse_json(text) == value


def a_setting_is_read_or_refused(data: bytes) -> None:
    text = _text(data)
    with contextlib.suppress(ConfigError):
        BackendSpec.parse(text)
    with contextlib.suppress(ConfigError):
        Prices({}, "2026-01-01", text)


def a_wait_is_a_number_or_none(data: bytes) -> None:
    for seconds in (retry_seconds({"retry-after": _text(data)}), retry_delay(_text(data))):
        assert seconds is None or 0 <= seconds < float("inf"), seconds


def a_trace_survives_its_file(data: bytes) -> None:
    try:
        trace = Trace.model_validate_json(data)
    except ValidationError:
        return
    text = trace.model_dump_json()
    assert Trace.model_validate_json(text).model_dump_json() == text
    json.loads(text)


PROPERTIES: dict[str, Callable[[bytes], None]] = {
    check.__name__: check
    for check in (
        steps_are_texts,
        a_score_is_one_to_ten,
        an_answer_is_one_of_the_options,
        a_manifest_is_read_or_refused,
        what_is_imported_is_read_or_refused,
        a_stored_record_is_read_or_put_aside,
        a_stored_record_is_the_same_to_every_reader,
        a_sample_log_is_read_or_refused,
        a_table_of_steps_is_read_or_refused,
        options_are_texts_of_letters,
        a_json_text_is_read_or_refused,
        a_setting_is_read_or_refused,
        a_wait_is_a_number_or_none,
        a_trace_survives_its_file,
    )
}
