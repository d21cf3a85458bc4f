"""AVReasonBench: documents, prompts and scores.

The data set is a folder with `manifest.jsonl` (one item a line) and the media that it names, set by
AVREASONBENCH_HOME (the authors' split) or AVREASONBENCH_PUBLIC_HOME (the rebuild of public sources).
"""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
from datasets import Dataset, Features, List, Value
from lmms_eval.tasks._task_utils import reply_reader
from lmms_eval.tasks.avreasonbench import scoring

HOMES = {"avreasonbench": "AVREASONBENCH_HOME", "avreasonbench_public": "AVREASONBENCH_PUBLIC_HOME"}
COLUMNS = ("music_avqa", "avsd", "captioning", "compositional", "geoiq", "meme", "dm_match")
SENTENCES = ("avsd", "captioning")
TEXT = Value("string")
FEATURES = Features({"id": TEXT, "column": TEXT, "category": TEXT, "question": TEXT, "options": List(TEXT), "answer": TEXT, "references": List(TEXT), "video": TEXT, "audio": TEXT, "audios": List(TEXT), "question_type": TEXT})


def home(name: str) -> Path:
    """Return a benchmark's folder."""
    folder = os.environ.get(HOMES[name], "").strip()
    if not (folder and (Path(folder).expanduser() / "manifest.jsonl").is_file()):
        raise FileNotFoundError(f"Set {HOMES[name]} to a folder with manifest.jsonl and the media of {name}.")
    return Path(folder).expanduser().resolve()


def __getattr__(name: str) -> Any:
    """Return `dataset_kwargs` of OWN or PUBLIC when a task is selected, and one filter for each column."""
    names = {"OWN": "avreasonbench", "PUBLIC": "avreasonbench_public"}
    if name in names:
        return {"data_files": {"test": str(home(names[name]) / "manifest.jsonl")}}
    if name in COLUMNS:
        return column(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def column(name: str) -> Callable[[Dataset], Dataset]:
    """Return what keeps the items of one column, with one set of fields whatever a manifest leaves out."""

    def kept(dataset: Dataset) -> Dataset:
        rows = [{key: row.get(key) for key in FEATURES} for row in dataset if row["column"] == name]
        if not rows:
            raise ValueError(f"The manifest has no item of the column {name}.")
        return Dataset.from_list(rows, features=FEATURES)

    return kept


def letters(doc: dict) -> list[str]:
    """Return the option letters; none of an open question."""
    return [chr(ord("A") + index) for index in range(len(doc["options"] or ()))]


def media(doc: dict) -> list[str]:
    """Return the paths of the video and of all separate sounds, below the folder, in order."""
    return [path for path in (doc["video"], doc["audio"], *(doc["audios"] or ())) if path is not None]


def doc_to_text(doc: dict, lmms_eval_specific_kwargs: dict | None = None) -> str:
    """Return the question, its options if any, and the form of the answer."""
    options = [f"{letter}. {text}" for letter, text in zip(letters(doc), doc["options"] or ()) if text.strip()]
    if doc["options"] is not None:
        form = "End with one line: Answer: <letter>"
    elif doc["column"] in SENTENCES:
        form = "Answer in one sentence. End with one line: Answer: <sentence>"
    elif doc["column"] == "music_avqa":
        form = "End with one line: Answer: <a number, yes or no, a place, or an instrument>"
    else:
        form = "End with one line: Answer: <a word or a short phrase>"
    return "\n".join([doc["question"], *options, form])


def doc_to_visual(doc: dict, lmms_eval_specific_kwargs: dict) -> list[str]:
    """Return the absolute paths of all media; beside separate sounds the video is without its own."""
    folder = home(lmms_eval_specific_kwargs["benchmark"])
    paths = []
    for path in media(doc):
        whole = Path(os.path.abspath(folder / path))
        if folder not in whole.parents:
            raise ValueError(f"{path}: leads out of {folder}.")
        paths.append(whole)
    if doc["video"] is not None and len(paths) > 1:
        paths[0] = muted(paths[0])
    return [str(path) for path in paths]


def doc_to_messages(doc: dict, lmms_eval_specific_kwargs: dict) -> list[dict]:
    """Return one user turn: the video, each numbered sound after its name, the question."""
    paths = iter(doc_to_visual(doc, lmms_eval_specific_kwargs))
    content = [{"type": "video", "url": next(paths)}] if doc["video"] is not None else []
    content += [{"type": "audio", "url": next(paths)}] if doc["audio"] is not None else []
    for number, path in enumerate(paths, start=1):
        content += [{"type": "text", "text": f"Audio {number}:"}, {"type": "audio", "url": path}]
    return [{"role": "user", "content": [*content, {"type": "text", "text": doc_to_text(doc)}]}]


def muted(path: Path) -> Path:
    """Return a copy of a video without its soundtrack, its pictures untouched; made once, beside it."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return path
    target = path.with_name(f".{path.stem}-muted.mkv")
    if not target.is_file():
        content = io.BytesIO()
        with av.open(str(path)) as source, av.open(content, "w", format="matroska") as copy:
            pictures = source.streams.video[0]
            stream = copy.add_stream_from_template(pictures)
            for packet in source.demux(pictures):
                if packet.size:
                    packet.stream = stream
                    copy.mux(packet)
        work = target.with_name(f"{target.name}.{os.getpid()}")
        work.write_bytes(content.getvalue())
        work.replace(target)
    return target


def process_results(doc: dict, results: list[str]) -> dict[str, Any]:
    """Return `score` (0..1), `accuracy` and `unparsed` (0 or 1), `rouge_l` of sentences, and the score by video."""
    scores = scored(doc, results[0])
    video = next(iter(media(doc)), doc["id"])
    return {**scores, "by_video": {"score": scores["score"], "video": video}, "item": doc["id"], "category": doc["category"]}


def scored(doc: dict, reply: str) -> dict[str, float]:
    """Return the scores of a reply, by the form of its answer; one whose thinking does not end has none."""
    said = reply_reader.spoken(reply)
    text = "" if said.unclosed else said.text
    if doc["options"] is not None:
        return reply_reader.score_choice(dict(zip(letters(doc), doc["options"])), doc["answer"], text)
    if doc["column"] in SENTENCES:
        return scoring.score_sentence(doc["references"] or [doc["answer"]], text, doc["column"] != "avsd")
    labels = scoring.label_set(doc["question"]) if doc["column"] == "music_avqa" else None
    return scoring.score_answer([doc["answer"], *(doc["references"] or [])], text, doc["question"], labels)


def mean_by_video(values: list[dict]) -> float:
    """Return the mean score over items; the harness adds its error, clustered by video."""
    return sum(float(value["score"]) for value in values) / len(values)
