"""Manifests and traces cannot lead out of their folders; nothing runs what it reads."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from making import trace

import aurelia_plugin
from aurelia_plugin.benchmark.data.checking import check_folder
from aurelia_plugin.benchmark.data.documents import media_paths, user_turn
from aurelia_plugin.benchmark.data.items import MANIFEST, Item, Source, write_items
from aurelia_plugin.errors import ConfigError, MediaError
from aurelia_plugin.files.places import inside
from aurelia_plugin.reasoning.prompting import PromptSet
from aurelia_plugin.traces.store import TraceStore

ITEM = Item(
    id="a",
    column="geoiq",
    category="Currency",
    question="Which?",
    answer="x",
    video="media/a.mp4",
    audio="media/a.wav",
    audios=("media/b.wav",),
    source=Source(dataset="d", id="1"),
)


def _linked(folder: Path, outside: Path) -> Path:
    (folder / "media").mkdir(parents=True)
    outside.write_bytes(b"secret")
    for name in ("a.mp4", "a.wav", "b.wav"):
        (folder / "media" / name).symlink_to(outside)
    return folder


def test_a_link_that_leads_out_is_not_followed(tmp_path: Path) -> None:
    folder = _linked(tmp_path / "bench", tmp_path / "secret.mp4")
    for read in (media_paths, user_turn):
        with pytest.raises(MediaError, match="leads out of the folder"):
            read(ITEM, folder)
    write_items(folder / MANIFEST, [ITEM])
    faults = [fault.what for fault in check_folder(folder).faults]
    assert sum("leads out of the folder" in what for what in faults) == 3


def test_a_folder_that_is_a_link_itself_does_not_help(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.mp4").write_bytes(b"x")
    folder = tmp_path / "bench"
    folder.mkdir()
    (folder / "media").symlink_to(outside)
    with pytest.raises(MediaError, match="leads out"):
        inside(folder, "media/a.mp4")


def test_links_within_the_folder_and_those_of_a_hub_cache_are_followed(tmp_path: Path) -> None:
    cache = tmp_path / "datasets--x--y"
    snapshot = cache / "snapshots" / "abc"
    (snapshot / "media").mkdir(parents=True)
    (cache / "blobs").mkdir()
    (cache / "blobs" / "1").write_bytes(b"x")
    (snapshot / "media" / "a.mp4").symlink_to("../../../blobs/1")
    assert inside(snapshot, "media/a.mp4").read_bytes() == b"x"
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "2").write_bytes(b"x")
    (snapshot / "b.mp4").symlink_to(tmp_path / "blobs" / "2")
    with pytest.raises(MediaError):
        inside(snapshot, "b.mp4")
    (tmp_path / "c.mp4").write_bytes(b"x")
    (tmp_path / "d.mp4").symlink_to("c.mp4")
    assert inside(tmp_path, "d.mp4").read_bytes() == b"x"


def test_a_trace_that_is_a_link_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    elsewhere = TraceStore(tmp_path / "elsewhere")
    elsewhere.put_trace(trace("aa1"))
    store = TraceStore(tmp_path / "own")
    place = tmp_path / "own" / "traces" / "aa"
    place.mkdir()
    (place / "aa1.json").symlink_to(tmp_path / "elsewhere" / "traces" / "aa" / "aa1.json")
    assert store.trace("aa1") is None
    assert (place / "aa1.unreadable").is_symlink()
    assert elsewhere.trace("aa1") is not None


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ question.__init__.__globals__ }}",
        "{% for c in ().__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}",
        "{{ self.__init__.__globals__ }}",
        "{% include '/etc/passwd' %}",
        "{% for i in range(10**8) %}x{% endfor %}",
    ],
)
def test_a_template_cannot_reach_out(tmp_path: Path, template: str) -> None:
    (tmp_path / "reasoner.jinja").write_text("{{ question }}" + template)
    with pytest.raises(ConfigError, match=r"reasoner\.jinja"):
        PromptSet(prompts=str(tmp_path))


def test_what_a_model_or_question_says_is_not_rendered() -> None:
    text = PromptSet().render("reasoner", {"question": "{{ 7 * 7 }} {% raw %}"})
    assert "{{ 7 * 7 }} {% raw %}" in text


_FORBIDDEN_MODULES = {"pickle", "shelve", "marshal", "dill", "zipfile", "tarfile", "joblib"}
_FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}


def _findings(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {(node.module or "").partition(".")[0]}
        else:
            names = set()
        found += sorted(names & _FORBIDDEN_MODULES)
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            given = {keyword.arg for keyword in node.keywords}
            if called in _FORBIDDEN_CALLS or called == "os.system":
                found.append(called)
            if called == "torch.load" and "weights_only" not in given:
                found.append(called)
            if called in ("yaml.load", "yaml.load_all") and "Loader" not in given:
                found.append(called)
            found += ["shell=True"] if "shell" in given else []
    return found


def test_nothing_that_is_read_is_run_unpickled_or_unpacked() -> None:
    root = Path(aurelia_plugin.__file__).parents[1]
    files = [
        path for name in ("aurelia_plugin", "model_wrappers", "task_yamls")
        for path in (root / name).rglob("*.py")
    ]  # fmt: skip
    assert len(files) > 100
    # A sidecar runs the system's own code in a process of its own, and has to stand in for modules.
    files = [path for path in files if "sidecar" not in path.parts]
    found = {path.relative_to(root).as_posix(): _findings(path) for path in files}
    # The hub's archive of a board's clips, by the filter that lets nothing out of the folder.
    unpacked = {"aurelia_plugin/benchmark/boards/places.py": ["tarfile"]}
    assert {name: these for name, these in found.items() if these} == unpacked
    assert 'filter="data"' in (root / next(iter(unpacked))).read_text(encoding="utf-8")


def test_the_search_for_such_code_finds_it(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text(
        "import pickle\nfrom zipfile import ZipFile\neval('1')\ntorch.load('x')\n"
        "yaml.load(x)\nsubprocess.run('x', shell=True)\n"
    )
    assert len(_findings(path)) == 6
