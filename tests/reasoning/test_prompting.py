from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from making import beep, question

from aurelia_plugin.calling.backend import Sampling
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.reasoning.loop import LoopPlan
from aurelia_plugin.reasoning.prompting import PACKAGED_PROMPTS, PromptSet
from aurelia_plugin.reasoning.roles import ROLES


def _folder(tmp_path: Path, **files: str) -> str:
    folder = tmp_path / "mine"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        (folder / f"{stem}.{suffix}").write_text(text, encoding="utf-8")
    return str(folder)


def test_a_users_file_replaces_the_file_of_its_name_and_no_other(tmp_path: Path) -> None:
    mine = PromptSet("default", _folder(tmp_path, cot_jinja="Denke nach: ä"))
    assert mine.render("cot", {}) == "Denke nach: ä"
    values = {"question": "Who?"}
    assert mine.render("reasoner", values) == PromptSet().render("reasoner", values)


def test_the_paper_preset_keeps_the_official_releases_behaviour() -> None:
    paper = PromptSet("paper")
    assert (paper.styles.threshold, paper.styles.max_iterations) == (6, 5)
    assert paper.styles.reasoner.sampling == Sampling("keyframes", 5)
    assert paper.styles.evaluator.sampling == Sampling("keyframes", 5)
    assert paper.styles.reasoner.keys.steps == "Task_1"
    assert not paper.styles.summarizer.sees_clip
    assert '"Task_1"' in paper.render("reasoner", {"question": "Who?"})
    assert paper.render("again", {"problem": "p", "wanted": "w"}) == (
        PromptSet().render("again", {"problem": "p", "wanted": "w"})
    ), "what the preset lacks comes from the default set"


def test_a_packaged_set_can_be_laid_over_a_preset() -> None:
    assert PromptSet("default", "paper").loop_digest == PromptSet("paper").loop_digest


def test_requests_of_the_short_set_leave_room_in_512_tokens() -> None:
    short, words = PromptSet("default", "short"), " ".join
    assert {short.styles.of(role).reply for role in ROLES} == {"lines"}
    question = words(["option"] * 75)  # 100 tokens and more
    found = ("step -> finding",) * 4
    said = short.styles.reasoner.max_new_tokens
    values: dict[str, object] = {"question": question, "steps": found, "step_answers": ()}
    values |= {"final_answer": None, "score": 3, "feedback": None}
    values |= {"caption": "a caption", "answer": "an answer"}
    for name, more in (
        ("reasoner", 0), ("feedback", said), ("summarizer", said), ("evaluator", 96),
        ("evaluator_steps", said), ("evaluator_answer", said),
    ):  # fmt: skip
        # Four tokens for three words, as tokenizers of English have it; the reply, and a frame.
        own = len(short.render(name, values).split()) * 4 // 3
        assert own + more + 128 + 50 <= 512, name


@pytest.mark.parametrize("preset", ["default", "paper", "short"])
@pytest.mark.parametrize("scored", [(7, "No drum."), (None, None)])
def test_every_packaged_prompt_renders(preset: str, scored: tuple[int | None, str | None]) -> None:
    prompts = PromptSet("default", preset)
    values = {
        "question": "Who rings?",
        "steps": ("Look.", "Listen."),
        "step_answers": ("dark",),
        "final_answer": None,
        "caption": "A bell.",
        "score": scored[0],
        "feedback": scored[1],
    }
    for name in ("reasoner", "feedback", "summarizer", "evaluator", "inject", "cot"):
        text = prompts.render(name, values)
        assert text == text.strip()
        assert "None" not in text
    assert ("7" in prompts.render("feedback", values)) == (scored[0] == 7)


def test_injected_steps_are_numbered_and_carry_the_answers_that_there_are() -> None:
    text = PromptSet().render("inject", {"steps": ("Look.", "Listen."), "step_answers": ("dark",)})
    assert "1. Look. -> dark\n2. Listen.\n" in text


def test_user_text_is_data_not_template() -> None:
    text = PromptSet().render("reasoner", {"question": "{{ 7 * 7 }} <b>{% raw %}"})
    assert "{{ 7 * 7 }} <b>{% raw %}" in text


@pytest.mark.parametrize(
    ("files", "named", "said"),
    [
        ({"reasonner_jinja": "x"}, "reasonner.jinja", "no prompt has this name"),
        ({"reasoner_jinja": "{% if %}"}, "reasoner.jinja", "line 1"),
        ({"reasoner_jinja": "\n{{ a | nofilter }}"}, "reasoner.jinja", "line 2"),
        ({"preset_yaml": "a: [b"}, "preset.yaml", ""),
        ({"preset_yaml": "threshold: 11"}, "preset.yaml", "threshold=11"),
        ({"preset_yaml": "reasoner: {replies: json}"}, "preset.yaml", "reasoner.replies"),
        ({"preset_yaml": "- a"}, "preset.yaml", ""),
    ],
)
def test_a_wrong_file_is_named_when_the_set_is_opened(
    tmp_path: Path, files: dict[str, str], named: str, said: str
) -> None:
    folder = _folder(tmp_path, **files)
    with pytest.raises(ConfigError, match=named) as caught:
        PromptSet("default", folder)
    assert str(Path(folder) / named) in caught.value.what
    assert said in caught.value.what


@pytest.mark.parametrize(
    "template",
    [
        "{{ quesiton }}",
        "{{ question.nothing }}",
        "{{ 1 / 0 }}",
        "{{ question + 1 }}",
        "{% include 'other' %}",
        "{{ '%(a)s' % {} }}",
        "{{ range(10 ** 9) | list }}",
    ],
)
def test_a_template_that_cannot_be_rendered_names_its_file(tmp_path: Path, template: str) -> None:
    folder = _folder(tmp_path, reasoner_jinja=template)
    with pytest.raises(ConfigError, match=r"mine.reasoner\.jinja") as caught:
        PromptSet("default", folder)  # at once, before any call is paid for
    assert caught.value.fix == "The template may use: question."


def test_a_prompt_folder_that_is_missing_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        PromptSet("default", str(tmp_path / "none"))
    (tmp_path / "cot.jinja").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"cot\.jinja"):
        PromptSet("default", str(tmp_path))


def test_other_files_in_a_prompt_folder_do_not_matter(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(PACKAGED_PROMPTS / "default", folder)
    (folder / "README.md").write_text("mine")
    assert PromptSet("default", str(folder)).digests == PromptSet().digests


@pytest.mark.parametrize(
    ("file", "moves"),
    [
        ("inject_jinja", False),
        ("cot_jinja", False),
        ("reasoner_jinja", True),
        ("feedback_jinja", True),
        ("summarizer_jinja", True),
        ("evaluator_jinja", True),
        ("again_jinja", True),
        ("preset_yaml", True),
    ],
)
def test_only_what_the_agents_read_moves_a_traces_key(
    tmp_path: Path, file: str, moves: bool
) -> None:
    asked = question("Who?", beep())
    changed = PromptSet("default", _folder(tmp_path, **{file: "{}"}))
    keys = {LoopPlan(p, {"reasoner": "r"}, 6, 5).trace_key(asked) for p in (PromptSet(), changed)}
    assert (len(keys) == 2) == moves
