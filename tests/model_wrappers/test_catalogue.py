from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from aurelia_plugin import registration
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers import catalogue
from aurelia_plugin.model_wrappers.catalogue import CATALOGUE, Row, row, rows
from aurelia_plugin.model_wrappers.lmms.forms import form_of, forms
from aurelia_plugin.model_wrappers.options import BackendOptions, read_options
from aurelia_plugin.model_wrappers.providers import PROVIDERS, BackendPool, _module
from aurelia_plugin.model_wrappers.readiness import lacks
from aurelia_plugin.settings import validated
from aurelia_plugin.spec import BackendSpec

PAPER = {
    "Gemini 1.5 Pro",
    "Reka Core",
    "PandaGPT",
    "Macaw-LLM",
    "Video-LLaMA",
    "ImageBind-LLM",
    "X-InstructBLIP",
    "AV-LLM",
    "OneLLM",
    "AVicuna",
    "CREMA",
    "VideoLLaMA2",
    "AnyGPT",
    "NExT-GPT",
    "Unified-IO-2 L",
    "Unified-IO-2 XL",
    "Bay-CAT",
    "Video-SALMONN",
    "VITA",
}

STATED = {
    "sees",
    "hears",
    "joint",
    "languages",
    "license",
    "weights_license",
    "environment",
    "status",
    "note",
}


def test_every_system_of_the_paper_has_one_row() -> None:
    systems = [row.system for row in rows().values() if row.paper]
    assert sorted(systems) == sorted(PAPER)


@pytest.mark.parametrize("known", rows().values(), ids=lambda row: row.id)
def test_every_row_states_what_a_user_has_to_know(known: Row) -> None:
    assert known.model_fields_set >= STATED
    assert known.note.endswith(".")
    if known.status == "unavailable":
        assert known.substitute
        stand_in = known.substitute.removeprefix("aurelia_")
        assert not known.substitute.startswith("aurelia_") or stand_in in rows()
    if known.joint == "yes":
        assert known.sees
        assert known.hears.soundtrack


@pytest.mark.parametrize("known", rows().values(), ids=lambda row: row.id)
def test_options_and_settings_of_every_row_fit_their_schemas(known: Row) -> None:
    validated({"target": known.id, **known.settings})
    if known.backend is None:
        return
    spec = BackendSpec.parse(known.backend)
    if spec.provider not in PROVIDERS:
        pytest.skip(f"no provider {spec.provider} yet")
    form: type[BackendOptions] = _module(spec.provider).OPTIONS
    read_options(form, {**known.options, **spec.options}, known.id)


def test_rows_of_lmms_models_agree_with_the_form_of_their_requests() -> None:
    for known in rows().values():
        if known.backend is None or not known.backend.startswith("lmms:"):
            continue
        model = known.backend.removeprefix("lmms:")
        form = form_of(model)
        assert model in forms(), model
        assert known.hears.soundtrack == (form.soundtrack != "none"), model
        if form.sounds is not None:
            assert known.hears.clips == form.sounds, model
        assert bool(known.sees) == form.pictures, model


def test_registration_reads_the_ids_that_the_schema_reads() -> None:
    assert registration._catalogue_ids() == list(rows())


def test_registration_loads_neither_a_yaml_parser_nor_pydantic() -> None:
    code = (
        "import sys; from aurelia_plugin.registration import _catalogue_ids; _catalogue_ids();"
        "print([name for name in ('yaml', 'pydantic', 'torch', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_what_is_run_in_these_tests_claims_a_run() -> None:
    from .lmms.test_upstream import UPSTREAM
    from .sidecar.test_upstream_systems import SYSTEMS
    from .transformers.test_families import FAMILIES

    tiny = {known.id for known in rows().values() if known.status in ("run-tiny", "code-only")}
    services = {"gemini", "reka"}
    # Rows of classes that another row runs: other sizes, and the same model trained to think.
    sizes = {"embedded", "qwen2_5_omni_3b", "gemma4_12b", "qwen3_omni_thinking"}
    sidecars = {"videollama2", "video_llama", "unified_io_2_l", "unified_io_2_xl", "vita"}
    assert tiny <= {*FAMILIES, *UPSTREAM, *SYSTEMS} | services | sizes | sidecars
    assert {*FAMILIES, *UPSTREAM} - {"gemma4_unified"} <= tiny


def test_rows_that_can_be_loaded_here_say_where_their_facts_were_read() -> None:
    for known in rows().values():
        provider = (known.backend or "").partition(":")[0]
        assert bool(known.sources) == (provider in ("transformers", "lmms", "vllm")), known.id


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "embedded"}, "ids that occur twice: embedded"),
        ({"id": "Bad-Id"}, "String should match pattern"),
        ({"status": "works"}, "'run', 'run-tiny', 'code-only', 'read' or 'unavailable'"),
        ({"backend": None}, "a row without backend has the status"),
        ({"hears": {"clips": -1}}, "greater than or equal to 0"),
        ({"sees": ["smell"]}, "'video', 'frames' or 'images'"),
        ({"speed": 3}, "Extra inputs are not permitted"),
    ],
)
def test_a_faulty_row_is_an_error_that_names_it(
    change: dict[str, object], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = yaml.safe_load(CATALOGUE.read_text())
    content["rows"][1].update(change)
    path = tmp_path / "catalogue.yaml"
    path.write_text(yaml.safe_dump(content))
    monkeypatch.setattr(catalogue, "CATALOGUE", path)
    rows.cache_clear()
    try:
        with pytest.raises(ConfigError, match=said):
            rows()
    finally:
        rows.cache_clear()


def test_what_cannot_be_had_says_what_substitute() -> None:
    with pytest.raises(ConfigError, match=r"Gemini 1\.5 Pro\) cannot be had") as caught:
        BackendPool("aurelia_gemini_1_5_pro", {})
    assert "aurelia_gemini" in caught.value.fix


def test_a_lack_is_told_with_its_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = row("gemma3n").model_dump()

    def told(**change: object) -> list[str]:
        return [f"{lack.what} {lack.fix}" for lack in lacks(Row(**{**base, **change}))]

    here = {"backend": f"transformers:{tmp_path}", "needs": []}
    assert told(**here) == []
    assert "hf download no/such" in told(backend="transformers:no/such", needs=[])[0]
    assert "no_such_module" in told(**{**here, "needs": ["no_such_module", "google.nope"]})[0]
    assert "needs torch<1" in told(**here, requires=["torch<1"])[0]
    monkeypatch.delenv("SOME_KEY", raising=False)
    assert "export SOME_KEY=" in told(**here, secrets=["SOME_KEY"])[0]
    monkeypatch.setenv("SOME_KEY", "x")
    assert told(**here, secrets=["SOME_KEY"]) == []
    assert "no adapter" in told(backend="sidecar:no_such_system")[0]


def test_what_is_no_package_of_a_registry_is_not_told_to_be_installed_by_name() -> None:
    """A package of another author has the name `ola`."""
    (code, weights) = lacks(row("ola"))
    assert code.what == "not importable: ola, whisper, moviepy, decord"
    assert code.fix.startswith("pip install openai-whisper moviepy decord; ola from https://")
    assert weights.fix == "hf download THUdyh/Ola-7b"
    (nothing,) = lacks(row("av_llm"))
    assert nothing.fix == "Choose another target."
