"""What the page is for: to be read, looked through and handed on. In a real headless Chromium."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from making_comparisons import comparison
from media.conftest import grey_frames, tone

from aurelia_plugin.benchmark.data.items import COLUMNS
from aurelia_plugin.benchmark.synthetic.encode import write_mp4
from aurelia_plugin.benchmark.synthetic.scene import SAMPLE_RATE
from aurelia_plugin.compare.outputs.cells import COLUMN_TITLES
from compare import browsing
from compare.browsing import ARMS, built, small, watched
from compare.test_page import SIZE, VIEWS, check, questions, until

PHONE = {"width": 390, "height": 844}
TOO_WIDE = """() => [...document.querySelectorAll("body *")].filter((one) => {
  const style = getComputedStyle(one);
  const wider = one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 1;
  const cut = wider && style.overflowX !== "visible";
  return cut && !one.closest(".aside, .skip, pre, .thumb") && style.webkitLineClamp === "none";
}).map((one) => `${one.tagName}.${one.className}: ${one.textContent.slice(0, 40)}`)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from browsing.browser()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page")
    clip = folder / "clip.mp4"
    write_mp4(clip, grey_frames(range(20, 220, 5)), tone(4.0, SAMPLE_RATE))
    return built(folder, small(folder, [clip]), title="A study")


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    context = browser.new_context(viewport=SIZE, accept_downloads=True)
    made, seen = watched(context)
    made.goto(address)
    yield made
    check(made, seen)
    context.close()


def opened(page: Any, place: int = 1) -> None:
    questions(page)
    page.locator(".row").nth(place).click()
    page.wait_for_selector(".question")


@pytest.mark.parametrize("size", [SIZE, PHONE], ids=["desktop", "phone"])
def test_nothing_is_cut_off(browser: Any, address: str, size: dict[str, int]) -> None:
    context = browser.new_context(viewport=size, is_mobile=size is PHONE)
    page, seen = watched(context)
    for view in VIEWS:
        page.goto(f"{address}{view}")
        page.wait_for_selector(".view")
        assert page.evaluate(TOO_WIDE) == [], view
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], view
    page.goto(f"{address}#questions")
    opened(page)
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    check(page, seen)
    context.close()


def test_colour_says_significant_and_nothing_else(browser: Any, tmp_path: Path) -> None:
    made = comparison(40)
    one = next(
        c for c in made.contrasts if (c.arm, c.kind, c.name) == ("aurelia", "column", "avsd")
    )
    sure = one.model_copy(update={"gain": 0.2, "p_holm": 0.001})
    contrasts = tuple(sure if c is one else c for c in made.contrasts)
    address = built(
        tmp_path, made.model_copy(update={"contrasts": contrasts, "verdicts": ()}), media="none"
    )
    context = browser.new_context(viewport=SIZE)
    page, seen = watched(context)
    page.goto(address)
    page.wait_for_selector(".cards")
    assert page.locator(".up, .down").all_inner_texts() == ["+20.0"]  # Holm's p is 0.2 elsewhere
    check(page, seen)
    context.close()


def test_ticks_carry_the_arms_names_and_gold_its_text(page: Any) -> None:
    questions(page)
    row = page.locator(".row").nth(1)
    assert row.locator(".tickbox .arm").all_inner_texts() == list(ARMS)
    assert row.locator(".c-gold").inner_text() == "A. A bell"
    opened(page)
    assert page.locator(".gold").inner_text() == "Right answer: A. A bell"


def test_columns_stand_in_the_papers_order(page: Any) -> None:
    titles = [COLUMN_TITLES[name] for name in COLUMNS]
    table = page.get_by_role("table", name="Per column")
    assert table.get_by_role("rowheader").all_inner_texts()[: len(titles)] == titles
    questions(page)
    assert page.locator("select[name=column] option").all_inner_texts() == ["all", *titles]


def test_the_time_axis_is_read_clicked_and_stepped(page: Any) -> None:
    opened(page)
    until(page, "document.querySelector('video').duration > 3")
    ticks = page.locator(".tick").all_inner_texts()
    assert ticks == ["0 s", "1 s", "2 s", "3 s", "4 s", "5 s"]
    axis = page.get_by_role("slider")
    box = axis.bounding_box()
    axis.click(position={"x": box["width"] / 2, "y": 8})
    until(page, "Math.abs(document.querySelector('video').currentTime - 2.5) < 0.2")
    axis.press("ArrowRight")
    until(page, "Math.abs(document.querySelector('video').currentTime - 2.75) < 0.2")
    assert page.locator("#question-title").inner_text() == "avsd-00001"  # no other question
    until(page, "document.querySelector('.timeline').getAttribute('aria-valuenow') > 2")
    axis.press("Home")
    until(page, "document.querySelector('video').currentTime === 0")


def test_iterations_stand_side_by_side_with_their_differences(page: Any) -> None:
    opened(page, 2)
    boxes = [one.bounding_box() for one in page.locator(".iteration").all()]
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[0]["x"] < boxes[1]["x"]
    second = page.locator(".iteration").nth(1)
    # "Listen to the bell." became "Look at the bell."; "A bell rings twice." "A red bell rings."
    assert second.locator(".steps mark").all_inner_texts() == ["Look at"]
    assert second.locator("p mark").all_inner_texts()[-2:] == ["red", "rings."]
    assert page.locator(".iteration").nth(0).locator("mark").count() == 0
    others = page.locator(".answer:not([data-arm=none]) pre mark").all_inner_texts()
    assert "placebo" in others
    assert page.locator(".answer[data-arm=none] mark").count() == 0


def test_the_agents_prompts_are_there(page: Any) -> None:
    opened(page)
    for summary in page.locator("details > summary").all():
        summary.click()
    text = page.locator(".iterations").inner_text()
    assert "What rings, 1?" in text  # the question as it stood in the reasoner's prompt
    assert "Prompt of the reasoner" in text


def test_texts_can_be_copied(browser: Any, address: str) -> None:
    context = browser.new_context(viewport=SIZE)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page, seen = watched(context)
    page.goto(address)
    opened(page)
    prompt = page.locator(".answer[data-arm=none] details")
    prompt.locator("summary").click()
    prompt.get_by_role("button", name="Copy the prompt").click()
    until(page, "document.querySelector('.answer[data-arm=none] .copy').textContent === 'Copied'")
    assert "What rings in clip number 1?" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("button", name="Copy link").click()
    until(page, "document.querySelector('.permalink').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    check(page, seen)
    context.close()


def test_filters_stand_in_the_address(page: Any) -> None:
    questions(page)
    page.select_option("select[name=column]", "geoiq")
    page.select_option("select[name=arm]", "placebo")
    page.fill("#search", "clip & number")
    page.click("[data-sort=score]")
    page.click("[data-sort=score]")
    kept = page.url
    assert "column=geoiq" in kept
    assert "arm=placebo" in kept
    page.goto("about:blank")
    page.goto(kept)
    page.wait_for_selector("#count")
    assert page.input_value("#search") == "clip & number"
    assert page.input_value("select[name=column]") == "geoiq"
    assert page.input_value("select[name=arm]") == "placebo"
    assert page.get_attribute(".c-score[role=columnheader]", "aria-sort") == "descending"
    page.fill("#search", "")
    page.locator(".row").first.click()
    page.wait_for_selector(".question")
    page.get_by_role("link", name="← Questions").click()
    page.wait_for_selector(".row")
    assert page.input_value("select[name=column]") == "geoiq"
    page.go_back()
    page.wait_for_selector(".question")
    page.go_back()
    page.wait_for_selector(".row")
    assert page.input_value("select[name=column]") == "geoiq"
    page.click("#reset")
    assert page.url.endswith("#questions")


def test_the_filtered_questions_can_be_downloaded(page: Any) -> None:
    questions(page)
    page.select_option("select[name=column]", "avsd")
    with page.expect_download() as got:
        page.get_by_role("button", name="Download questions as CSV").click()
    assert got.value.suggested_filename == "questions.csv"
    rows = list(csv.DictReader(io.StringIO(Path(got.value.path()).read_text(), newline="")))
    assert [row["id"] for row in rows] == ["avsd-00001", "avsd-00008"]
    assert rows[0]["gold"] == "A. A bell"
    assert rows[0]["aurelia: right"] in ("true", "false")
    with page.expect_download() as got:
        page.get_by_role("button", name="Download questions as JSON").click()
    assert len(json.loads(Path(got.value.path()).read_text())) == 2
    page.click("#reset")
    with page.expect_download() as got:
        page.get_by_role("button", name="Download questions as CSV").click()
    text = Path(got.value.path()).read_text()
    assert (
        len(list(csv.DictReader(io.StringIO(text, newline="")))) == 12
    )  # quotes, line ends and all
    page.get_by_role("link", name="Summary").click()
    with page.expect_download() as got:
        page.get_by_role("button", name="Download gains as JSON").click()
    gains = json.loads(Path(got.value.path()).read_text())
    assert {"arm", "gain", "low", "high"} <= set(gains[0])


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_nothing(browser: Any, address: str, look: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = browser.new_context(
        viewport=PHONE if look == "phone" else SIZE,
        color_scheme="dark" if look == "dark" else "light",
        is_mobile=look == "phone",
    )
    page, seen = watched(context)

    def faults() -> list[str]:
        return [
            f"{fault['id']}: {[node['target'] for node in fault['nodes']][:3]}"
            # Without preload: it would fetch, which the page's policy forbids.
            for fault in axe.run(page, options={"preload": False}).response["violations"]
        ]

    for view in VIEWS:
        page.goto(f"{address}{view}")
        page.wait_for_selector(".view")
        assert faults() == [], view
    page.goto(f"{address}#questions")
    opened(page)
    for summary in page.locator("details > summary").all():
        summary.click()
    assert faults() == []
    page.keyboard.press("?")
    assert faults() == []
    check(page, seen)
    context.close()


def test_paper_gets_ink_and_no_buttons(page: Any) -> None:
    opened(page)
    page.emulate_media(media="print", color_scheme="dark")
    for gone in ("nav", "#theme", ".bar", ".copy"):
        assert not page.locator(gone).first.is_visible(), gone
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('pre')).maxHeight") == "none"
    page.emulate_media(media="screen")
