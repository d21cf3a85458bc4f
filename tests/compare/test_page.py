"""The page in a real headless Chromium, opened from disk."""

from __future__ import annotations

import time
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
from compare.browsing import EVIL, HOSTILE, Seen, built, small, watched

SIZE = {"width": 1280, "height": 860}
VIEWS = ("#summary", "#questions", "#repeat")
TITLE = "document.getElementById('question-title').textContent"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from browsing.browser()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("clips & more")
    path = folder / "a clip #1.mp4"
    write_mp4(path, grey_frames(range(20, 220, 5)), tone(4.0, SAMPLE_RATE))
    return [path]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, clips: list[Path]) -> str:
    folder = tmp_path_factory.mktemp("page")
    return built(folder, small(folder, clips), media="link", title=f"A study {EVIL}")


@pytest.fixture(scope="module")
def artefacts(pytestconfig: pytest.Config) -> Path:
    """Screenshots are kept for the eye: .pytest_cache/d/page/*.png."""
    assert pytestconfig.cache is not None
    return Path(pytestconfig.cache.mkdir("page"))


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    context = browser.new_context(viewport=SIZE)
    made, seen = watched(context)
    made.goto(address)
    yield made
    check(made, seen)
    context.close()


def check(page: Any, seen: Seen) -> None:
    """Nothing that a model wrote has run, nothing went wrong, nothing was asked of a server."""
    assert page.evaluate("window.pwned") is None
    assert seen.messages == []
    assert all(url.startswith("file://") for url in seen.requests), seen.requests


def until(page: Any, expression: str, seconds: float = 10.0) -> None:
    """Wait until an expression holds; the page's own policy forbids the browser's way to wait."""
    end = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(20)


def shown(page: Any) -> list[str]:
    return [text.split()[0] for text in page.locator(".row .c-id b").all_inner_texts()]


def questions(page: Any) -> None:
    page.get_by_role("link", name="Questions").click()
    page.wait_for_selector(".row")


def test_the_summary_has_the_arms_the_tables_and_the_plots(page: Any) -> None:
    assert page.title().endswith("· AURELIA")
    assert page.locator(".cards li").count() == len(browsing.ARMS)
    assert page.locator(".verdict .sentence").all_inner_texts()[0].startswith("aurelia: ")
    above = "document.querySelector('.verdict').getBoundingClientRect().bottom"
    assert page.evaluate(above) < page.locator(".cards").bounding_box()["y"] + 1
    assert page.locator("caption").all_inner_texts()[1:4] == [
        "All items; 95% intervals in brackets",
        "What went wrong, and what it took",
        "Per column",
    ]
    plots = page.locator("img[data-plot]")
    assert plots.count() == 3  # no category has five items
    for index in range(3):
        plots.nth(index).scroll_into_view_if_needed()
    until(
        page,
        "[...document.querySelectorAll('img[data-plot]')].every(i => i.complete && i.naturalWidth)",
    )
    assert "reported by the paper" in page.inner_text("main").lower()


def test_search_and_filters_narrow_the_table(page: Any) -> None:
    questions(page)
    assert page.inner_text("#count") == "12 of 12 questions"
    page.fill("#search", "CLIP number 5")
    assert shown(page) == ["meme-00005"]
    page.fill("#search", "said aurelia clip")
    assert page.inner_text("#count") == "11 of 12 questions"
    page.click("#reset")
    page.select_option("select[name=column]", "geoiq")
    assert {row.split("-")[0] for row in shown(page)} == {"geoiq"}
    page.select_option("select[name=column]", "")
    page.select_option("select[name=leak]", "leak")
    assert page.inner_text("#count") == "4 of 12 questions"
    page.select_option("select[name=change]", "wrong_to_right")
    assert set(page.locator(".row .c-change").all_inner_texts()) <= {"wrong → right"}
    page.click("#reset")
    page.select_option("select[name=score]", "9")
    scores = [int(text) for text in page.locator(".row .c-score").all_inner_texts()]
    assert scores
    assert min(scores) >= 9
    page.fill("#search", "there is no such text")
    assert page.inner_text("#count") == "0 of 12 questions"
    page.click("#reset")
    assert page.inner_text("#count") == "12 of 12 questions"


def test_the_arm_decides_what_change_and_leak_are_about(page: Any) -> None:
    questions(page)
    page.select_option("select[name=arm]", "placebo")
    assert set(page.locator(".row .c-leak").all_inner_texts()) == {"\u2013"}


def test_headers_sort_both_ways(page: Any) -> None:
    questions(page)
    for expected in ("ascending", "descending"):
        page.click("[data-sort=score]")
        scores = [int(text) for text in page.locator(".row .c-score").all_inner_texts()]
        assert scores == sorted(scores, reverse=expected == "descending")
        assert page.get_attribute(".c-score[role=columnheader]", "aria-sort") == expected
    page.click("[data-sort=column]")
    columns = page.locator(".row .c-column").all_inner_texts()
    assert list(dict.fromkeys(columns)) == [COLUMN_TITLES[name] for name in COLUMNS]


def test_a_question_shows_everything_and_runs_nothing(page: Any) -> None:
    questions(page)
    page.locator(".row").first.click()
    page.wait_for_selector(".question")
    for summary in page.locator("details > summary").all():
        summary.click()
    text = page.inner_text("main")
    for part in (*HOSTILE[:6], "Listen to the bell.", "→ It rings.", "A bell rings twice.",
                 "Say what is seen.", "3 of 10", "8 of 10", "the best: these steps are used",
                 "Its own answer", "Preface of aurelia", "Preface of placebo", "nothing read",
                 "4 sampled answers at temperature 0.7; number 3 stands for the majority",
                 "3 turns on the way to this answer", "asks for a part of the clip",
                 "given: seconds 1 to 2", "scored 8 of 10", "this one counts",
                 "not delivered: soundtrack", "Loop of placebo, aurelia"):  # fmt: skip
        assert part in text, part
    marks = page.locator(".answer h3 .mark").all()
    assert [mark.get_attribute("aria-label") for mark in marks] == [
        "none: right",
        "placebo: wrong",
        "aurelia: wrong",
        "consistency: wrong",
    ]
    assert page.locator("main script, main svg, main [onerror], main iframe").count() == 0


def test_the_policy_stops_a_script_that_gets_in_all_the_same(browser: Any, address: str) -> None:
    context = browser.new_context()
    made, _ = watched(context)
    made.goto(address)
    made.evaluate(
        """document.getElementById('main').innerHTML =
        '<img src=x onerror="window.pwned=1"><a id=x href="javascript:window.pwned=1">x</a>'"""
    )
    made.click("#x")
    made.wait_for_timeout(100)
    assert made.evaluate("window.pwned") is None
    context.close()


def test_the_clip_plays_with_its_sound(page: Any) -> None:
    questions(page)
    page.locator(".row").nth(1).click()
    page.wait_for_selector("video")
    until(page, "document.querySelector('.strip').naturalWidth > 0")
    assert page.locator("canvas.wave").evaluate(
        "c => c.getContext('2d').getImageData(0, 0, 720, 64).data.some(x => x > 0)"
    )
    page.keyboard.press("k")
    until(page, "document.querySelector('video').currentTime > 0.3")
    heard = page.locator("video").evaluate("v => [v.webkitAudioDecodedByteCount, v.videoWidth]")
    assert heard[0] > 0
    assert heard[1] == 64
    page.keyboard.press("k")
    assert page.locator("video").evaluate("v => v.paused")
    page.locator(".timeline").click(position={"x": 2, "y": 10})
    until(page, "document.querySelector('video').currentTime < 0.3")


def test_the_keyboard_is_enough(page: Any) -> None:
    page.keyboard.press("/")
    page.wait_for_selector("#search:focus")
    page.keyboard.type("number")
    assert page.inner_text("#count") == "11 of 12 questions"
    page.keyboard.press("Escape")
    for key in ("ArrowDown", "ArrowDown", "End", "Home", "ArrowDown"):
        page.keyboard.press(key)
    assert page.locator(".row.chosen .c-id b").inner_text() == "captioning-00002"
    page.keyboard.press("Enter")
    page.wait_for_selector(".question h2")
    assert page.locator("#question-title").inner_text() == "captioning-00002"
    page.keyboard.press("ArrowRight")
    until(page, f"{TITLE}.endsWith('compositional-00003')")
    page.keyboard.press("p")
    until(page, f"{TITLE}.endsWith('captioning-00002')")
    page.keyboard.press("Escape")
    page.wait_for_selector("#grid:focus")
    assert page.locator(".row.chosen .c-id b").inner_text() == "captioning-00002"
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 1
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


def test_a_questions_address_can_be_kept(page: Any, address: str) -> None:
    questions(page)
    page.locator(".row").first.click()
    page.wait_for_selector(".question")
    kept = page.url
    page.goto("about:blank")
    page.goto(kept)
    page.wait_for_selector(".question")
    assert page.locator("#question-title").inner_text().startswith("evil")
    page.goto(f"{address}#q/none/such")
    page.wait_for_selector("text=no such question")


def test_four_and_a_half_thousand_questions(browser: Any, tmp_path: Path) -> None:
    address = built(tmp_path, comparison(4_500), media="none")
    context = browser.new_context(viewport=SIZE)
    page, seen = watched(context)
    page.goto(f"{address}#questions")
    page.wait_for_selector(".row")
    assert page.inner_text("#count") == "4,500 of 4,500 questions"
    assert page.locator(".row").count() < 60, "only the rows in sight exist"
    page.keyboard.press("End")
    page.wait_for_selector("#row-4499")
    last = page.locator("#row-4499 .c-id b").inner_text()
    assert last.endswith("04499")
    page.keyboard.press("Enter")
    page.wait_for_selector(".question")
    assert page.locator("#question-title").inner_text() == last
    page.keyboard.press("Escape")
    page.fill("#search", "number 4321?")
    assert page.inner_text("#count") == "1 of 4,500 questions"
    assert len([url for url in seen.requests if "details-" in url]) == 1
    check(page, seen)
    context.close()


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_screenshots(browser: Any, address: str, artefacts: Path, look: str) -> None:
    size = {"width": 390, "height": 844} if look == "phone" else SIZE
    context = browser.new_context(
        viewport=size, color_scheme="dark" if look == "dark" else "light", is_mobile=look == "phone"
    )
    page, seen = watched(context)
    page.goto(address)
    page.wait_for_selector(".cards")
    page.screenshot(path=artefacts / f"{look}-summary.png")
    dark = page.locator("img[data-plot]").first.get_attribute("src")
    assert dark.endswith("-dark.svg") == (look == "dark")
    questions(page)
    page.screenshot(path=artefacts / f"{look}-questions.png")
    for view in ("#summary", "#questions", "#repeat"):
        page.goto(f"{address}{view}")
        wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1], f"{view} scrolls sideways"
    questions(page)
    page.locator(".row").nth(1).click()
    page.wait_for_selector(".question video")
    page.wait_for_timeout(300)
    page.screenshot(path=artefacts / f"{look}-question.png", full_page=True)
    wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    check(page, seen)
    context.close()


def test_the_theme_can_be_chosen(page: Any) -> None:
    back = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(back)
    page.click("#theme")
    assert page.evaluate(back) == light
    page.click("#theme")
    assert page.inner_text("#theme") == "Theme: dark"
    assert page.evaluate(back) != light
    assert page.locator("img[data-plot]").first.get_attribute("src").endswith("-dark.svg")
