from __future__ import annotations

import datetime

import pytest
from serviced import ServedBackend

from aurelia_plugin.calling.backend import Evidence, Usage
from aurelia_plugin.calling.prices import FREE, Price, Prices, is_version_of
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.scripted import ScriptedBackend

USAGE = Usage(input_tokens=1_000_000, output_tokens=100_000)


def _of(model: str, given: str | None = None) -> Price | None:
    return Prices.packaged(given).of(ServedBackend(model=model))


def test_the_table_is_dated_and_whole() -> None:
    prices = Prices.packaged()
    assert datetime.date.fromisoformat(prices.date) <= datetime.date.today()
    price = _of("gemini-2.5-flash")
    assert price is not None
    assert (price.input, price.output, price.sound, price.sound_rate) == (0.3, 2.5, 1.0, 32)


def test_tokens_cost_what_the_table_says() -> None:
    price = Price(input=2, output=10)
    assert price.cost(USAGE) == pytest.approx(3.0)
    assert price.most(USAGE) == pytest.approx(3.0)


def test_sound_may_cost_more_than_other_input() -> None:
    price = Price(input=1, output=0, sound=3, sound_rate=32)
    heard = Evidence(sound_seconds=1_000.0)
    assert price.cost(USAGE, heard) == pytest.approx((968_000 + 3 * 32_000) / 1e6)
    assert price.cost(USAGE, Evidence(sound_seconds=1e9)) == pytest.approx(3.0)
    assert price.most(USAGE) == pytest.approx(3.0)


def test_long_requests_may_cost_more() -> None:
    price = _of("gemini-2.5-pro")
    assert price is not None
    assert price.cost(Usage(input_tokens=200_000)) == pytest.approx(0.25)
    assert price.cost(Usage(input_tokens=300_000)) == pytest.approx(0.75)


def test_a_dated_version_has_its_models_price_and_another_model_has_none() -> None:
    assert _of("gpt-4o-2024-11-20") == _of("gpt-4o")
    assert _of("gpt-4o-2024-05-13") != _of("gpt-4o")
    assert _of("gpt-4o-mini-2024-07-18") == _of("gpt-4o-mini") != _of("gpt-4o")
    assert _of("gpt-4o-search") is None
    assert is_version_of("gemini-9-preview-05-20", "gemini-9")


def test_what_works_on_this_machine_is_free() -> None:
    assert Prices.packaged().of(ScriptedBackend(["a"])) == FREE


def test_the_users_own_prices_go_first() -> None:
    given = "gpt-4o:1/2|a:b:0.5/.25|3/4"
    assert _of("gpt-4o", given) == Price(input=1, output=2)
    assert _of("a:b", given) == Price(input=0.5, output=0.25)
    assert _of("gpt-4.1", given) == Price(input=3, output=4)
    assert _of("unheard-of", "0/0") == Price(input=0, output=0)


@pytest.mark.parametrize("given", ["1", "1/x", "-1/2", "a:1/2|a:1/2", "1/2|3/4", "1/2|", "nan/1"])
def test_a_price_that_cannot_be_read_is_an_error_with_the_form(given: str) -> None:
    with pytest.raises(ConfigError, match=r"Set price=IN/OUT"):
        Prices.packaged(given)


def test_an_unknown_model_is_an_error_that_names_it_and_the_fix() -> None:
    prices = Prices.packaged()
    prices.require([ServedBackend(model="gpt-4o"), ScriptedBackend(["a"])])
    with pytest.raises(ConfigError, match=r"no price for x-1, x-2\.\nSet price=IN/OUT"):
        prices.require([ServedBackend(model="x-2"), ServedBackend(model="x-1")])
    Prices.packaged("1/2").require([ServedBackend(model="x-2")])


def test_cached_input_costs_its_share_and_sound_and_long_requests_likewise() -> None:
    prices = Prices.packaged()
    flash = prices.of_model("gemini-2.5-flash")
    assert flash is not None
    usage = Usage(input_tokens=1000, output_tokens=0, cached_tokens=400)
    assert flash.cost(usage) == pytest.approx((600 * 0.30 + 400 * 0.03) / 1e6)
    heard = Evidence(sound_seconds=10)  # 320 tokens of sound
    whole = 680 * 0.30 + 320 * 1.00
    assert flash.cost(usage, heard) == pytest.approx(whole * (0.6 + 0.4 * 0.1) / 1e6)
    stored = Usage(stored_token_hours=2.0)
    pro = prices.of_model("gemini-3.1-pro-preview")
    assert pro is not None
    assert (flash.cost(stored), pro.cost(stored)) == pytest.approx((2e-6, 9e-6))


@pytest.mark.parametrize(
    ("model", "share"),
    [("gpt-5.4-mini", 0.1), ("gpt-4.1", 0.25), ("gpt-4o", 0.5), ("gpt-4o-audio-preview", 1.0)],
)
def test_openai_charges_cached_input_by_family(model: str, share: float) -> None:
    price = Prices.packaged().of_model(model)
    assert price is not None
    all_cached = Usage(input_tokens=1000, cached_tokens=1000)
    assert price.cost(all_cached) == pytest.approx(share * price.cost(Usage(input_tokens=1000)))


def test_more_cached_than_read_costs_no_less_than_all_of_it() -> None:
    price = Price(input=1, output=1, cached_share=0.1)
    assert price.cost(Usage(input_tokens=10, cached_tokens=99)) == pytest.approx(1e-6)
    assert price.cost(Usage(cached_tokens=5)) == 0.0


def test_a_price_of_the_users_own_holds_for_cached_input_too() -> None:
    price = Prices.packaged("2/8").of_model("gemini-2.5-flash")
    assert price is not None
    assert price.cost(Usage(input_tokens=100, cached_tokens=100)) == pytest.approx(2e-4)
