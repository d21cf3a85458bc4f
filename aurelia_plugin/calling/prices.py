"""What tokens cost: a dated table, and the user's own prices over it."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import yaml
from pydantic import Field, NonNegativeFloat, PositiveFloat

from aurelia_plugin.calling.backend import Backend, Evidence, Usage, service_of
from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.records import Record

__all__ = ["FREE", "Price", "Prices", "is_version_of"]

_TABLE = Path(__file__).parent / "prices.yaml"
_FIX = (
    "Set price=IN/OUT (US dollars per million input and output tokens; price=0/0 for a server of "
    "your own) or price=MODEL:IN/OUT|MODEL:IN/OUT."
)


class _Above(Record):
    input: NonNegativeFloat
    output: NonNegativeFloat
    start: int = Field(alias="from", ge=1)


class Price(Record):
    """US dollars per million tokens.

    Attributes:
        sound: price of input that is sound; None if it costs what other input costs.
        sound_rate: tokens of a second of sound.
        cached_share: what an input token costs that the service took from its cache, as a share of
            what it costs otherwise.
        storage: price of a million tokens that the service keeps in its cache for an hour.
        above: the prices of requests with more input tokens than its `start`.
    """

    input: NonNegativeFloat
    output: NonNegativeFloat
    sound: NonNegativeFloat | None = None
    sound_rate: PositiveFloat = 32
    cached_share: float = Field(1.0, ge=0, le=1)
    storage: NonNegativeFloat = 0.0
    above: _Above | None = None

    def cost(self, usage: Usage, evidence: Evidence | None = None) -> float:
        """Return the US dollars of one call.

        Where some of the input is sound and some of it was cached, the cached part is taken to be
        mixed like the whole.
        """
        per_input, per_output = self.input, self.output
        if self.above is not None and usage.input_tokens > self.above.start:
            per_input, per_output = self.above.input, self.above.output
        sound = 0.0
        if self.sound is not None and evidence is not None:
            sound = min(usage.input_tokens, evidence.sound_seconds * self.sound_rate)
        other = usage.input_tokens - sound
        read = other * per_input + sound * (self.sound or 0.0)
        cached = min(1.0, usage.cached_tokens / usage.input_tokens) if usage.input_tokens else 0.0
        read *= 1.0 - cached * (1.0 - self.cached_share)
        kept = usage.stored_token_hours * self.storage
        return (read + usage.output_tokens * per_output + kept) / 1e6

    def most(self, usage: Usage) -> float:
        """Return the US dollars of a call if all of its input were of the dearest kind."""
        return max(self.cost(usage), self.cost(usage, Evidence(sound_seconds=1e12)))


FREE = Price(input=0, output=0)
"""What works on this machine."""


class _Cached(Record):
    """What a provider's caching costs: fields of `Price` of the models whose names begin alike."""

    cached_share: float = Field(ge=0, le=1)
    storage: NonNegativeFloat = 0.0


class _Table(Record):
    date: str
    sources: tuple[str, ...]
    sound_tokens_per_second: dict[str, PositiveFloat]
    cached: dict[str, _Cached]
    models: dict[str, Price]


class _Given(NamedTuple):
    """The setting `price`, read."""

    models: Mapping[str, Price]
    others: Price | None


class Prices:
    """Prices by model.

    Args:
        models: the table.
        date: when its prices were taken from the providers' pages.
        given: the user's own prices, which go first.
    """

    def __init__(self, models: Mapping[str, Price], date: str, given: str | None = None) -> None:
        self.date = date
        self._models = models
        self._given = _read(given)

    @classmethod
    def packaged(cls, given: str | None = None) -> Prices:
        """Return the packaged table under the setting `price`.

        Raises:
            ConfigError: the setting cannot be read.
        """
        raw = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))
        table = _Table.model_validate({**raw, "date": str(raw["date"])})
        rates = table.sound_tokens_per_second
        models = {
            name: price.model_copy(
                update={
                    "sound_rate": rates[name.partition("-")[0]],
                    **_longest(table.cached, name),
                }
            )
            for name, price in table.models.items()
        }
        return cls(models, table.date, given)

    @classmethod
    def of_pairs(cls, pairs: Mapping[str, tuple[float, float]]) -> Prices:
        """Return prices by model: US dollars per million tokens read, and written."""
        models = {
            name: Price(input=read, output=written) for name, (read, written) in pairs.items()
        }
        return cls(models, date="")

    def of(self, backend: Backend) -> Price | None:
        """Return what a backend's tokens cost, None if nobody has said."""
        service = service_of(backend)
        return FREE if service is None else self.of_model(service.model)

    def of_model(self, model: str) -> Price | None:
        """Return what a model's tokens cost, by its own name or as a version; None if unknown."""
        own = self._given.models.get(model) or self._given.others
        return own or self._models.get(model) or self._listed(model)

    def require(self, backends: Iterable[Backend]) -> None:
        """Check that there is a price for every one of these backends.

        Raises:
            ConfigError: naming the models without a price.
        """
        missing = sorted(
            {s.model for b in backends if (s := service_of(b)) is not None and self.of(b) is None}
        )
        if missing:
            raise ConfigError(
                f"max_cost is set, and the price table of {self.date} has no price for "
                f"{', '.join(missing)}.",
                _FIX,
            )

    def _listed(self, model: str) -> Price | None:
        """Return the price of the longest name of the table of which this is a version."""
        names = [name for name in self._models if is_version_of(model, name)]
        return self._models[max(names, key=len)] if names else None


def _longest(cached: Mapping[str, _Cached], model: str) -> dict[str, float]:
    """Return the fields of the longest entry with which a model's name begins, none without one."""
    names = [name for name in cached if model.startswith(name)]
    return cached[max(names, key=len)].model_dump() if names else {}


@functools.lru_cache(maxsize=4096)  # asked for every call, of every name of the table
def is_version_of(name: str, model: str) -> bool:
    """Whether a name is that of the model, or of a dated or numbered version of it."""
    version = r"([-@:](preview-)?(\d[\d.-]*|main|[0-9a-f]{7,40}))?"
    return re.fullmatch(re.escape(model) + version, name, re.IGNORECASE) is not None


def _read(given: str | None) -> _Given:
    models: dict[str, Price] = {}
    others: Price | None = None
    for entry in (given or "").split("|") if given else ():
        name, _, numbers = entry.strip().rpartition(":")
        match = re.fullmatch(r"(\d+\.?\d*|\.\d+)/(\d+\.?\d*|\.\d+)", numbers.strip())
        if match is None or (not name and others is not None) or name in models:
            raise ConfigError(
                f"price={given}: {entry.strip()!r} is not a price, or one too many.", _FIX
            )
        price = Price(input=float(match[1]), output=float(match[2]))
        if name:
            models[name] = price
        else:
            others = price
    return _Given(models, others)
