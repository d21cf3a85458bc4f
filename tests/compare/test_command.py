from __future__ import annotations

from pathlib import Path

import pytest

from aurelia_plugin.cli import main
from aurelia_plugin.commands.compare import labelled, read_prices
from aurelia_plugin.errors import ConfigError

from .making_logs import row, write_run


def test_runs_get_the_shortest_names_that_tell_them_apart(tmp_path: Path) -> None:
    one, two = tmp_path / "a" / "none", tmp_path / "b" / "none"
    assert labelled([f"y={one}", f"x={two}"]) == {"y": one, "x": two}
    assert list(labelled([str(one), str(two)])) == ["a/none", "b/none"]
    assert list(labelled([str(one), str(tmp_path / "aurelia")])) == ["none", "aurelia"]
    with pytest.raises(ConfigError, match="Two runs are called x"):
        labelled([f"x={one}", f"x={two}"])


def test_a_folder_with_an_equals_sign_is_no_name(tmp_path: Path) -> None:
    folder = tmp_path / "condition=none"
    folder.mkdir()
    assert labelled([str(folder)]) == {"condition=none": folder}


@pytest.mark.parametrize(
    "content", ["- a", "m: 3", "m: [1]", "m: [1, -2]", "m: [1, free]", "m: [1, 2"]
)
def test_prices_with_faults_show_the_form(tmp_path: Path, content: str) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match="One line a model"):
        read_prices(path)


def test_prices(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("gemini-3.8-flash: [0.30, 2.50]\nlocal: [0, 0]\n")
    assert read_prices(path) == {"gemini-3.8-flash": (0.3, 2.5), "local": (0.0, 0.0)}


@pytest.mark.parametrize(
    ("arguments", "fix"),
    [
        (["--allow", "everything"], "Choose from: items, parser, target"),
        (["--draws", "5"], "Draw at least 100 times."),
        (["--traces", "nowhere"], "Write --traces NAME=DIR."),
        (["--traces", "nobody=."], "Choose from: run."),
        (["--reference", "nobody"], "Choose from: run"),
    ],
)
def test_wrong_options_name_the_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], fix: str
) -> None:
    folder = write_run(tmp_path / "run", {"qa": [row(0, 1), row(1, 0)]})
    assert main(["compare", str(folder)]) == 0
    assert "some_model?size=1" in capsys.readouterr().out
    assert main(["compare", str(folder), *arguments]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == fix
