"""What goes upstream, laid over a copy of the installed harness."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from media.conftest import MakeSound, MakeVideo, tone
from upstream_export.contributions import CONTRIBUTIONS

from aurelia_plugin.benchmark.data.items import Item, Source, write_items
from aurelia_plugin.benchmark.reading import score_item
from aurelia_plugin.benchmark.tasks import doc_to_messages
from aurelia_plugin.compare.outputs.exports.bundling import Name, bundle
from aurelia_plugin.media.audio import has_sound
from aurelia_plugin.media.clip import Media

from .asked import Job
from .conftest import ROOT, Laid, asked, python

REPRODUCTIONS = ROOT / "docs" / "upstream" / "reproductions"
TEXTS = ROOT / "docs" / "upstream"
SCRIPTS = {path.name[0]: str(path) for path in sorted(REPRODUCTIONS.glob("?_*.py"))}
ALL = """
import runpy, sys
def run(paths):
    for path in paths:
        runpy.run_path(path, run_name="__main__")
        print(flush=True)
run(sys.argv[1:])
"""
STILL, FIXED = "still so", "fixed upstream"


def verdicts(letters: str, said: str) -> dict[str, str]:
    return dict(zip(letters, re.findall(f"{STILL}|{FIXED}", said), strict=True))


def test_every_reproduction_still_shows_its_fault_on_the_installed_harness() -> None:
    assert "".join(SCRIPTS) == "cdefgh"
    said = python("-c", ALL, *SCRIPTS.values())
    assert verdicts("cdefgh", said) == dict.fromkeys("cdefgh", STILL)


ENTRY_POINTS = """
from lmms_eval.tasks import TaskManager
calls, plain = [], TaskManager.initialize_tasks
def counted(self, include_path=None, include_defaults=True):
    calls.append(include_path)
    return plain(self, include_path=include_path, include_defaults=include_defaults)
TaskManager.initialize_tasks = counted
attach()
manager = TaskManager(model_name="aurelia_embedded")
print(len(calls), "avreasonbench_mini" in manager.all_tasks, manager.model_name)
"""
UNATTACHED = """
import aurelia_plugin.registration as registration
attach, registration.attach_tasks = registration.attach_tasks, lambda: None
"""


def test_patches_mend_their_faults_and_our_hook_stands_aside_for_entry_points(laid: Laid) -> None:
    scripts = [SCRIPTS[letter] for letter in "cdgh"]
    # The hook is not attached before `counted` is there: `lmms_eval.models` would see to it.
    code = UNATTACHED + ALL + ENTRY_POINTS
    said = python("-c", code, *scripts, scratch=laid(*"cdgh"))
    assert verdicts("cdgh", said) == dict.fromkeys("cdgh", FIXED)
    # Indexed once, with the tasks in it: nothing was added by the hook.
    assert said.split()[-3:] == ["1", "True", "embedded"]


SOURCE = Source(dataset="ours", id="1")


def items() -> list[tuple[Item, str]]:
    """Items of every column, each with a reply, right, wrong, odd or empty."""
    rows = [
        ("music_avqa", "How many instruments sound?", None, "two", "I count 2.\nAnswer: two"),
        ("music_avqa", "Is the violin louder than the cello?", None, "yes", "No. Answer: no"),
        ("music_avqa", "Where is the loudest one?", None, "left", "<think>right</think>left"),
        ("avsd", "What does he do?", None, "He plays the guitar.", "Answer: He plays a guitar."),
        ("captioning", "Describe it.", None, "A dog barks at a car.", "A dog, barking at a car"),
        ("compositional", "Which is right?", ("a red car", "a blue car"), "B", "Answer: (b)"),
        ("compositional", "Which is right?", ("a red car", "a blue car"), "A", "Not A but B."),
        ("geoiq", "Which country is it?", None, "India", "Answer: the Republic of India"),
        ("geoiq", "Which continent is it?", None, "Asia", "I cannot tell."),
        ("meme", "Why is it funny?", ("the cat", "the dog"), "A", "the cat"),
        ("meme", "Why is it funny?", ("the cat", "the dog"), "A", ""),
        ("dm_match", "Which music fits?", ("Audio 1", "Audio 2"), "B", "Answer: Audio 2"),
    ]  # fmt: skip
    made = []
    for number, (column, question, options, answer, reply) in enumerate(rows):
        sounds = ("one.wav", "two.wav") if column == "dm_match" else ()
        item = Item(
            id=f"i{number}",
            column=column,
            category="Miscellaneous",
            question=question,
            options=options,
            answer=answer,
            video="clip.mp4",
            audios=sounds,
            source=SOURCE,
        )
        made.append((item, reply))
    return made


@pytest.fixture
def home(tmp_path: Path, make_video: MakeVideo, make_sound: MakeSound) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    shutil.move(make_video("clip.mp4", sound=tone(1.0)), folder / "clip.mp4")
    for name in ("one.wav", "two.wav"):
        shutil.move(make_sound(name, tone(0.5)), folder / name)
    write_items(folder / "manifest.jsonl", [item for item, _ in items()])
    return folder


def test_without_the_plugin_tasks_score_alike_and_the_thin_model_says_how_to_get_it(
    laid: Laid, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = {item.id: reply for item, reply in items()}
    scripts = tuple(SCRIPTS[letter] for letter in "ef")
    job = Job(replies, ["avreasonbench"], ["avreasonbench"], scripts=scripts)
    found = asked(job, laid(*"aefi"), tmp_path, AVREASONBENCH_HOME=str(home))
    assert found["modules"] == []
    assert found["verdicts"] == [FIXED, FIXED]
    assert "pip install aurelia-lmms-eval" in found["without"]
    scores = {id_: one for task in found["scores"].values() for id_, one in task.items()}
    assert scores == {item.id: score_item(item, reply) for item, reply in items()}
    by_column: dict[str, list[float]] = {}
    for item, _ in items():
        by_column.setdefault(item.column, []).append(scores[item.id]["score"])
    means = [sum(scores) / len(scores) for scores in by_column.values()]
    mean = found["results"]["avreasonbench"]["score,none"]
    assert mean == pytest.approx(sum(means) / len(means))

    monkeypatch.setenv("AVREASONBENCH_HOME", str(home))
    messages = {id_: one for task in found["asked"].values() for id_, one in task.items()}
    for item, _ in items():
        ours = doc_to_messages(item.model_dump(mode="json"), {"benchmark": "avreasonbench"})
        (theirs,) = messages[item.id]
        kinds = [part["type"] for part in theirs["content"]]
        assert kinds == [part["type"] for part in ours[0]["content"]]
        assert theirs["content"][-1] == ours[0]["content"][-1]
    muted = messages[items()[-1][0].id][0]["content"][0]["url"]
    assert not has_sound(Media.file("video", Path(muted)))  # beside sounds of its own


MODEL = """
import json, sys
from aurelia_plugin.model_wrappers.aurelia import Aurelia as Ours
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend
from lmms_eval.evaluator import simple_evaluate
from lmms_eval.models.chat.aurelia import Aurelia as Theirs
from lmms_eval.tasks import TaskManager
manager = TaskManager(include_path=sys.argv[2], include_defaults=False)
said = []
for cls in (Ours, Theirs):
    model = cls(target=ScriptedBackend(lambda prompt: "Answer: A"), condition="none",
                traces=sys.argv[1], answers="fresh")
    results = simple_evaluate(model, tasks=["avreasonbench_mini_meme"], task_manager=manager,
                              limit=2, log_samples=True)
    said.append([s["filtered_resps"] for s in results["samples"]["avreasonbench_mini_meme"]])
print(json.dumps(said))
"""


def test_the_thin_model_gives_the_plugins_answers(laid: Laid, tmp_path: Path) -> None:
    tasks = str(ROOT / "task_yamls" / "avreasonbench_mini")
    said = python("-c", MODEL, str(tmp_path / "traces"), tasks, scratch=laid("i"))
    ours, theirs = json.loads(said.splitlines()[-1])
    assert ours == theirs == [["Answer: A"]] * 2


def test_every_contribution_has_its_text_in_upstreams_form() -> None:
    sections = ("Summary", "In scope", "Out of scope", "Validation", "Risk / Compatibility")
    for contribution in CONTRIBUTIONS:
        text = (TEXTS / f"{contribution.folder}.md").read_text(encoding="utf-8")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE)[:5] == list(sections)
        assert re.search(
            r"^- `.+` \| sample size: `N=\d+` \| key metrics: `.+` \| result: `pass`",
            text,
            re.MULTILINE,
        ), contribution.folder


def test_a_bundle_keeps_what_is_reached_and_renames_what_would_clash() -> None:
    wanted = [Name("aurelia_plugin.calling.thinking", "spoken")]
    source = bundle(wanted, "A title.")
    assert source.startswith('"""A title."""')
    assert "def without_thinking" not in source  # nobody asks for it
    with pytest.raises(ValueError, match="no nothing"):
        bundle([Name("aurelia_plugin.calling.thinking", "nothing")], "A title.")
