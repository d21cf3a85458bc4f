"""Tasks of others' boards: rows in each set's own form, real media, the real YAML and harness."""

from __future__ import annotations

import io
import json
import logging
import tarfile
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from boards import DAILY, FILES, JOINT, board_files

from aurelia_plugin.benchmark.boards.known import BOARD_SETS
from aurelia_plugin.benchmark.boards.letters import unlettered
from aurelia_plugin.benchmark.boards.places import board_folder, dataset_kwargs
from aurelia_plugin.benchmark.data.items import read_items
from aurelia_plugin.benchmark.figures import read_run
from aurelia_plugin.compare.outputs.boards import load_board
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.media.audio import has_sound, waveform
from aurelia_plugin.media.medium import Media

pytest.importorskip("lmms_eval")

_GOLD = {
    "daily_omni": ["B", "D"],
    "jointavbench": None,  # in an order drawn from the id
    "omnivideobench": ["B", "D"],
}


@pytest.fixture
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = str(request.param)
    monkeypatch.setenv(BOARD_SETS[name].variable, str(board_files(name, tmp_path / name)))
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    return name


def _run(task: str, answer: Any) -> tuple[dict[str, Any], Any]:
    from lmms_eval import evaluator

    from .stub import Stub, manager

    stub = Stub(answer)
    results = evaluator.simple_evaluate(
        model=stub, tasks=[task], task_manager=manager(), bootstrap_iters=0, log_samples=True
    )
    assert isinstance(results, dict)
    return results, stub


@pytest.mark.parametrize("home", FILES, indirect=True)
def test_a_board_through_the_harness(home: str, tmp_path: Path) -> None:
    task = f"aurelia_{home}"
    results, stub = _run(task, lambda doc: doc["answer"])
    row = results["results"][task]
    assert row["score,none"] == row["official,none"] == 1.0
    assert row["unparsed,none"] == 0.0
    samples = results["samples"][task]
    assert {sample["column"] for sample in samples} == {home}
    gold = _GOLD[home]
    assert gold is None or [sample["target"] for sample in samples] == gold
    for (turn,) in stub.messages[task]:
        kinds = [block["type"] for block in turn["content"]]
        assert kinds == ["video", "audio", "text"]
        video, audio, text = turn["content"]
        assert not has_sound(Media.file("video", video["url"])), "it would be heard twice"
        assert waveform(Media.file("audio", audio["url"])) is not None
        assert "\nA. " in text["text"]
        assert "\nD. " in text["text"]
        assert "A. A." not in text["text"]
    assert load_board(home).has(task), "a run of the task can be placed on its board"
    path = tmp_path / "out" / f"20260101_080000_samples_{task}.jsonl"
    path.parent.mkdir()
    keep = [{k: v for k, v in s.items() if k not in ("doc", "arguments")} for s in samples]
    path.write_text("".join(json.dumps(one, default=str) + "\n" for one in keep))
    figures = read_run(path.parent)
    assert list(figures.columns) == [home]
    assert sorted(figures.categories) == sorted({sample["category"] for sample in samples})


@pytest.mark.parametrize("home", ["omnivideobench"], indirect=True)
def test_the_sound_may_stay_in_the_video(home: str) -> None:
    task = f"aurelia_{home}_soundtrack"
    results, stub = _run(task, lambda doc: "A")
    assert results["results"][task]["score,none"] == 0.0
    (turn,) = stub.messages[task][0]
    assert [block["type"] for block in turn["content"]] == ["video", "text"]
    assert has_sound(Media.file("video", turn["content"][0]["url"]))


@pytest.mark.parametrize("home", ["daily_omni"], indirect=True)
def test_the_sets_own_sound_file_is_taken(home: str) -> None:
    _, stub = _run(f"aurelia_{home}", lambda doc: "A")
    (turn,) = stub.messages[f"aurelia_{home}"][0]
    assert turn["content"][1]["url"].endswith("Ab_cdEfGhIj_audio.wav")
    sound = waveform(Media.file("audio", turn["content"][1]["url"]))
    assert sound is not None
    peak = np.abs(np.fft.rfft(sound.samples)).argmax() * sound.rate / len(sound.samples)
    assert peak == pytest.approx(900, abs=5)


_OPTIONS = {"A": "The shovel", "B": "The keys", "C": "The hat", "D": "The broom"}


@pytest.mark.parametrize(
    ("board", "reply", "right"),
    [
        ("daily_omni", "b", True),
        ("daily_omni", " B. The keys", True),
        ("daily_omni", "The answer is B", False),  # it begins with T
        ("daily_omni", "<think>A or B?</think>B", True),
        ("daily_omni", "", False),
        ("omnivideobench", "B", True),
        ("omnivideobench", "(b)", True),
        ("omnivideobench", "B. The keys", True),
        ("omnivideobench", r"So it is \boxed{B}", True),
        ("omnivideobench", "B The keys", False),
        ("omnivideobench", "Option B", False),
        ("jointavbench", "B", True),
        ("jointavbench", "(A)", False),
        ("jointavbench", "B. The keys", True),
        ("jointavbench", "I would say option B", True),
        ("jointavbench", "It has to be the keys then", True),
        ("jointavbench", "Either the keys or the hat", None),
        ("jointavbench", "I cannot tell", None),
    ],
)
def test_each_board_scores_by_its_own_rule(board: str, reply: str, right: bool | None) -> None:
    assert BOARD_SETS[board].official(reply, "B", _OPTIONS) is right


@pytest.mark.parametrize("home", ["jointavbench"], indirect=True)
def test_what_a_board_leaves_out_is_wrong_here(home: str) -> None:
    number = iter(range(9))
    results, _ = _run(
        f"aurelia_{home}",
        lambda doc: doc["answer"] if next(number) == 0 else "Neither of them, I think",
    )
    row = results["results"][f"aurelia_{home}"]
    assert row["official,none"] == 1.0
    assert row["score,none"] == 0.5
    assert row["unparsed,none"] == 0.5


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (["A. x", "B. y"], ("x", "y")),
        (["A.x", "B.y"], ("x", "y")),
        (["A: x", "B: y"], ("x", "y")),
        (["A x", "B y"], ("x", "y")),
        (["A. a dog", "B. y", "A. z", "B. w"], ("a dog", "y", "z", "w")),
        (["A dog", "The cat"], ("A dog", "The cat")),
        (["I. Newton", "A. Einstein"], ("I. Newton", "A. Einstein")),
        (["A", "B"], ("A", "B")),
        ([" x ", "y"], ("x", "y")),
    ],
)
def test_letters_in_front_are_taken_off_where_all_have_one(
    options: list[str], texts: tuple[str, ...]
) -> None:
    assert unlettered(options) == texts


def test_the_order_of_a_shuffled_question_is_its_own() -> None:
    items = list(BOARD_SETS["jointavbench"].items(JOINT))
    turned: list[Any] = [{**row, "options": row["options"][::-1]} for row in JOINT]
    assert list(BOARD_SETS["jointavbench"].items(turned)) == items
    for item in items:
        assert item.options is not None
        assert item.options["ABCD".index(item.answer)] == "The broom"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", ["{", "{}", "[]", "[3]", '[{"Question": 3, "qid": ""}]'])
def test_a_file_of_another_form_is_named(
    name: str, content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = BOARD_SETS[name]
    monkeypatch.setenv(board.variable, str(board_files(name, tmp_path)))
    (tmp_path / board.annotations).write_text(content)
    with pytest.raises(ConfigError) as caught:
        dataset_kwargs(board)
    assert board.title in str(caught.value)


@pytest.mark.parametrize("change", [{"Answer": "E"}, {"video_id": "../../x"}, {"Question": "\0"}])
def test_a_question_that_is_none_is_named(
    change: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = BOARD_SETS["daily_omni"]
    monkeypatch.setenv(board.variable, str(board_files("daily_omni", tmp_path)))
    (tmp_path / board.annotations).write_text(json.dumps([{**DAILY[0], **change}]))
    with pytest.raises(ConfigError, match=r"qa\.json: a question of Daily-Omni is none: "):
        dataset_kwargs(board)


@pytest.mark.parametrize("name", FILES)
def test_missing_media_are_said(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    board = BOARD_SETS[name]
    monkeypatch.setenv(board.variable, str(board_files(name, tmp_path)))
    videos = FILES[name][1]
    (tmp_path / videos[0]).unlink()
    if len(videos) > 1:
        with caplog.at_level(logging.WARNING):
            dataset_kwargs(board)
        assert "1 of 2 videos are missing" in caplog.text
        (tmp_path / videos[1]).unlink()
    with pytest.raises(ConfigError, match="holds no video of"):
        dataset_kwargs(board)
    monkeypatch.setenv(board.variable, str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="is no folder"):
        dataset_kwargs(board)


class _Hub(BaseHTTPRequestHandler):
    files: Mapping[str, bytes] = {}

    def do_HEAD(self) -> None:
        self._send(body=False)

    def do_GET(self) -> None:
        self._send(body=True)

    def _send(self, *, body: bool) -> None:
        content = self.files.get(self.path)
        self.send_response(200 if content is not None else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.send_header("ETag", '"' + f"{len(content or b''):064x}" + '"')
        self.send_header("X-Repo-Commit", "c" * 40)
        self.end_headers()
        if body and content is not None:
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hub on this machine that has Daily-Omni, and of JointAVBench the questions."""
    folder = board_files("daily_omni", tmp_path / "made")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(folder / "Videos", "Videos")
    root = "/datasets/{}/resolve/main/{}"
    daily, joint = BOARD_SETS["daily_omni"], BOARD_SETS["jointavbench"]
    _Hub.files = {
        root.format(daily.hub, daily.annotations): (folder / daily.annotations).read_bytes(),
        root.format(daily.hub, daily.archive): packed.getvalue(),
        root.format(joint.hub, joint.annotations): json.dumps(JOINT).encode(),
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    for board in BOARD_SETS.values():
        monkeypatch.delenv(board.variable, raising=False)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    yield
    server.shutdown()
    server.server_close()


def test_questions_and_media_come_from_the_hub(hub: None) -> None:
    board = BOARD_SETS["daily_omni"]
    files = dataset_kwargs(board)["data_files"]
    assert isinstance(files, dict)
    items = list(read_items(Path(files["test"])))
    assert [item.answer for item in items] == ["B", "D"]
    assert all((board_folder(board) / (item.video or "")).is_file() for item in items)
    assert board_folder(board) == board_folder(board), "unpacked once"


def test_what_the_hub_does_not_have_is_said_with_the_way_to_it(
    hub: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joint, omni = BOARD_SETS["jointavbench"], BOARD_SETS["omnivideobench"]
    with pytest.raises(ConfigError, match=r"AURELIA_JOINTAVBENCH_HOME is not set(.|\n)*ffmpeg -ss"):
        dataset_kwargs(joint)
    folder = board_files("jointavbench", tmp_path / "clips")
    (folder / joint.annotations).unlink()
    monkeypatch.setenv(joint.variable, str(folder))
    assert dataset_kwargs(joint)["data_files"]  # the questions are from the hub
    folder = board_files("omnivideobench", tmp_path / "omni")
    (folder / omni.annotations).unlink()
    monkeypatch.setenv(omni.variable, str(folder))
    with pytest.raises(ConfigError, match=r"data\.json cannot be had from the hub"):
        dataset_kwargs(omni)
