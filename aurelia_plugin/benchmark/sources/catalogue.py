"""The public sources: what each column is made from, under which terms, and how many rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from aurelia_plugin.benchmark.sources import avsd, music_avqa, odyssey, valor
from aurelia_plugin.benchmark.sources.compositional import drawing as compositional
from aurelia_plugin.benchmark.sources.draft import Pool
from aurelia_plugin.benchmark.sources.instruments import drawing as instruments
from aurelia_plugin.errors import ConfigError

__all__ = ["SOURCES", "PublicSource"]


class PublicSource(NamedTuple):
    """One column's source.

    Attributes:
        name: of the data set.
        licence: terms of annotations and media, kept with every item.
        where: what to download, and from where.
        number: how many rows a build takes unless told otherwise; None takes all.
        has_references: whether a second annotation file is needed.
        reader: of the annotation files.
        several: whether more than one annotation file may be given.
        made: whether the items' clips are put together from those of the source.
    """

    name: str
    licence: str
    where: str
    number: int | None
    has_references: bool
    reader: Callable[..., Pool]
    several: bool = False
    made: bool = False

    def read(self, annotations: Sequence[Path], references: Path | None) -> Pool:
        """Read the annotation files.

        Raises:
            ConfigError: a file is missing, superfluous or of another form.
        """
        if len(annotations) > 1 and not self.several:
            raise ConfigError(
                f"{self.name}: has one annotation file, not {len(annotations)}.",
                "Name one file with --annotations.",
            )
        if self.has_references and references is None:
            raise ConfigError(
                f"{self.name}: needs its file of references too.", f"Download: {self.where}"
            )
        if not self.has_references and references is not None:
            raise ConfigError(
                f"{self.name}: has no file of references.", "Run again without --references."
            )
        files = annotations if references is None else (*annotations, references)
        return self.reader(*files, licence=self.licence)


_ODYSSEY = (
    "AV-Odyssey: the project forbids commercial use, redistribution and modification "
    "(research only), whatever the data set's tag says; media as the annotations."
)
_ODYSSEY_WHERE = (
    "av_odyssey.parquet and the unpacked media of the Hugging Face data set "
    "AV-Odyssey/AV_Odyssey_Bench_LMMs_Eval"
)

SOURCES: Final[Mapping[str, PublicSource]] = MappingProxyType(
    {
        "music_avqa": PublicSource(
            name="MUSIC-AVQA",
            licence="MUSIC-AVQA: annotations MIT, (c) 2022 GeWu-Lab; the videos (YouTube and the "
            "authors' own) have separate terms.",
            where="data/json_update/avqa-test.json of github.com/GeWu-Lab/MUSIC-AVQA, and the "
            "videos that its README links to",
            number=1000,
            has_references=False,
            reader=music_avqa.read,
        ),
        "avsd": PublicSource(
            name="AVSD",
            licence="AVSD: annotations MIT, (c) dialogtekgeek (no separate data licence was "
            "seen); the Charades videos carry non-commercial terms.",
            where="test_set4DSTC7-AVSD.json and test_set4DSTC7-AVSD_multiref.json (or those of "
            "DSTC8; for instance in github.com/dbstjswo505/HEAR), and Charades' vu17_test.tar",
            number=1000,
            has_references=True,
            reader=avsd.read,
        ),
        "captioning": PublicSource(
            name="VALOR-32K",
            licence="VALOR-32K: no licence of the annotations is stated; the videos are "
            "YouTube's (AudioSet) under their own terms. Do not redistribute.",
            where="desc_test.json as linked from github.com/TXH-mercury/VALOR, and its clips, "
            "named <youtube>_<start>_<end>.mp4",
            number=1000,
            has_references=False,
            reader=valor.read,
        ),
        "compositional": PublicSource(
            name="clips of MUSIC-AVQA, of VALOR-32K, or of your own, joined and exchanged",
            licence="MUSIC-AVQA: annotations MIT, (c) 2022 GeWu-Lab; VALOR-32K: no licence of the "
            "annotations is stated; the videos of both have separate terms, and so have clips made "
            "of them. Do not redistribute.",
            where="the files of music_avqa and of captioning, one or both (the shipped rows need "
            "both: --annotations avqa-test.json --annotations desc_test.json); for your own clips "
            "write a CSV file with the columns file and label, or sort them into folders that are "
            "named as what they show, and name that folder as annotations",
            number=968,
            has_references=False,
            reader=compositional.read,
            several=True,
            made=True,
        ),
        "geoiq": PublicSource(
            name="MUSIC-AVQA and a table of facts about instruments and countries",
            licence="MUSIC-AVQA: annotations MIT, (c) 2022 GeWu-Lab; the videos (YouTube and the "
            "authors' own) have separate terms. The facts are this package's own table.",
            where="data/json_update/avqa-test.json of github.com/GeWu-Lab/MUSIC-AVQA, and the "
            "videos that its README links to",
            number=200,
            has_references=False,
            reader=instruments.read,
        ),
        "dm_match": PublicSource(
            name="AV-Odyssey, task 16 (dance and music matching)",
            licence=_ODYSSEY,
            where=_ODYSSEY_WHERE,
            number=None,
            has_references=False,
            reader=partial(odyssey.read, "dm_match"),
        ),
        "meme": PublicSource(
            name="AV-Odyssey, task 13 (meme understanding)",
            licence=_ODYSSEY,
            where=_ODYSSEY_WHERE,
            number=None,
            has_references=False,
            reader=partial(odyssey.read, "meme"),
        ),
    }
)
"""Column -> its source."""
