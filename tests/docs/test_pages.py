"""What README and documentation say, held against the program."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import doc_commands
import pytest
from benchmark.handmade import media
from doc_commands import Block

from aurelia_plugin.benchmark.data.items import MANIFEST, read_items
from aurelia_plugin.benchmark.synthetic.encode import write_mp4
from aurelia_plugin.cli import main, parser

ROOT = Path(__file__).parents[2]
PAGES = doc_commands.pages()
BLOCKS = [block for page in PAGES for block in doc_commands.blocks(page)]
LINK = re.compile(r"\[[^\]]*\]\(([^)#:\s]+)(?:#[^)\s]*)?\)")


def test_every_aurelia_command_of_the_pages_is_one() -> None:
    command = parser()
    seen = 0
    for block in BLOCKS:
        for words in doc_commands.aurelia_commands(block):
            seen += 1
            try:
                command.parse_args(words)
            except SystemExit as error:
                pytest.fail(f"{block.page}:{block.line}: aurelia {' '.join(words)}: {error}")
    assert seen > 40


def test_a_command_that_is_none_is_found() -> None:
    block = Block("page.md", 1, "aurelia study \\\n  --no-such-flag  # a remark\nls\n")
    (words,) = doc_commands.aurelia_commands(block)
    assert words == ["study", "--no-such-flag"]
    with pytest.raises(SystemExit):
        parser().parse_args(words)


def test_quick_blocks_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quick = Block("quick.md", 1, "aurelia models\naurelia data schema\n")
    wrong = Block("wrong.md", 7, "aurelia models\nfalse\naurelia reported\n")
    assert (quick.quick, wrong.quick) == (True, False)
    assert doc_commands.run([quick, wrong], tmp_path) == 1
    assert "failed: wrong.md:7" in capsys.readouterr().out


def test_installing_is_left_out_and_what_needs_more_is_told() -> None:
    first = next(block for block in BLOCKS if block.page == "README.md" and "--log" in block.text)
    assert first.why_not == ""
    assert first.commands.startswith("lmms-eval --model aurelia_embedded")
    assert Block("a.md", 1, "hf download some/model\n").why_not == "needs more than this machine"
    assert Block("a.md", 1, "aurelia data check FOLDER\n").why_not == "has places to fill in"


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda p: p.name)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for to in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / to).exists(), f"{page}: {to}"


def test_the_readme_is_short_and_leads_to_the_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.split()) < 900
    assert text.index("<!-- command: run -->") < 4000  # within the first screens
    assert "<!-- command: test -->" in text


def test_messages_of_the_faq_are_those_of_the_program() -> None:
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for room in ("aurelia_plugin", "model_wrappers")
        for path in (ROOT / room).rglob("*.py")
    )
    plain = re.sub(r"\"\s*\n\s*f?\"", "", source)
    quoted = re.findall(r"^\*\*`(.+?)`", (ROOT / "docs/faq.md").read_text(), re.MULTILINE)
    assert len(quoted) > 8
    for message in quoted:
        for part in message.split(" ..."):
            assert part.strip(" .") in plain, message


@pytest.mark.parametrize(
    ("page", "kinds"),
    [
        ("docs/tutorials/own-data.md", [None, "yes_no", "sentence"]),
        ("docs/benchmark.md", [None, "yes_no", "number", "sentence"]),
    ],
)
def test_the_tables_of_own_data_can_be_imported(
    page: str, kinds: list[str | None], tmp_path: Path
) -> None:
    table, *_ = re.findall(r"```csv\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "questions.csv").write_text(table, "utf-8")
    for name in set(re.findall(r"\w+\.mp4", table)):
        write_mp4(tmp_path / "mine" / name, *media())
    arguments = ["data", "import", str(tmp_path / "mine"), "--to", str(tmp_path / "home")]
    assert main(arguments) == 0
    items = list(read_items(tmp_path / "home" / MANIFEST))
    assert [item.answer_kind for item in items] == kinds
    assert [item.options is None for item in items] == [kind is not None for kind in kinds]


def test_every_command_has_a_section_in_the_reference() -> None:
    text = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
    subcommands = next(
        action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    for name in subcommands.choices:
        assert f"\n## aurelia {name}\n" in text, name
