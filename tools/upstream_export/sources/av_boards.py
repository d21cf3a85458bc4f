"""Boards of audio-visual questions with options: documents, prompts, media and scores.

A board's folder (named by an environment variable) holds its file of questions as published, and its videos.
"""

import io
import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from string import ascii_uppercase
from typing import Any, NamedTuple

import av
from lmms_eval.tasks._task_utils import board_rules, reply_reader


class Board(NamedTuple):
    """One board: `rows` reads its file, `official` is its own rule, `sound` names the file of a video's sound."""

    name: str
    variable: str
    questions: str
    rows: Callable[[list], Iterator[dict]]
    official: Callable[[str, str, dict], bool | None]
    sound: Callable[[Path], list[Path]] = lambda video: []


def daily_omni_rows(content: list) -> Iterator[dict]:
    """Yield the documents of Daily-Omni's qa.json; its rows have no ids of their own."""
    for number, row in enumerate(content, start=1):
        video = f"Videos/{row['video_id']}/{row['video_id']}_video.mp4"
        yield {"id": f"daily_omni-{number:04d}", "category": row["Type"], "question": row["Question"], "options": list(board_rules.unlettered(row["Choice"])), "answer": row["Answer"], "video": video}


def jointavbench_rows(content: list) -> Iterator[dict]:
    """Yield the documents of jointavbench.json, their options in an order drawn from their id: the board's own has no seed."""
    for row in content:
        if row["options"].count(row["correct_answer"]) != 1:
            raise ValueError(f"JointAVBench: {row['qid']}: the right answer is not one of the options.")
        options = sorted(row["options"])
        random.Random(row["qid"]).shuffle(options)
        answer = ascii_uppercase[options.index(row["correct_answer"])]
        yield {"id": row["qid"], "category": row["task"], "question": row["question"], "options": options, "answer": answer, "video": f"videos/{row['qid']}.mp4"}


def omnivideobench_rows(content: list) -> Iterator[dict]:
    """Yield the documents of OmniVideoBench's data.json, which has several questions for a video."""
    for row in content:
        for number, one in enumerate(row["questions"], start=1):
            options = list(board_rules.unlettered(one["options"]))
            yield {"id": f"{row['video']}-{number}", "category": one["question_type"], "question": one["question"], "options": options, "answer": one["correct_option"], "video": f"videos/{row['video']}.mp4"}


BOARDS = {
    board.name: board
    for board in (
        Board("daily_omni", "DAILY_OMNI_HOME", "qa.json", daily_omni_rows, board_rules.begins_with_letter, lambda video: [video.with_name(f"{video.stem.removesuffix('_video')}_audio.wav")]),
        Board("jointavbench", "JOINTAVBENCH_HOME", "jointavbench.json", jointavbench_rows, board_rules.names_one_option, lambda video: [video.with_suffix(".wav"), video.with_suffix(".m4a")]),
        Board("omnivideobench", "OMNIVIDEOBENCH_HOME", "data.json", omnivideobench_rows, board_rules.is_letter_alone),
    )
}


def home(board: Board) -> Path:
    """Return a board's folder."""
    folder = os.environ.get(board.variable, "").strip()
    if not (folder and (Path(folder).expanduser() / board.questions).is_file()):
        raise FileNotFoundError(f"Set {board.variable} to a folder with {board.questions} and the videos of {board.name}.")
    return Path(folder).expanduser().resolve()


def dataset_kwargs(name: str) -> dict[str, Any]:
    """Return where the documents are, which are made of the board's file when its task is selected."""
    board = BOARDS[name]
    rows = list(board.rows(json.loads((home(board) / board.questions).read_text(encoding="utf-8"))))
    target = kept(f"{name}.jsonl", "".join(json.dumps({**row, "board": name}, ensure_ascii=False) + "\n" for row in rows).encode())
    return {"data_files": {"test": str(target)}}


def kept(name: str, content: bytes) -> Path:
    """Return a file with this content in the user's cache, written at once or not at all."""
    folder = Path(os.environ.get("LMMS_EVAL_HOME", "~/.cache/lmms_eval")).expanduser() / "av_boards"
    folder.mkdir(parents=True, exist_ok=True)
    work = folder / f"{name}.{os.getpid()}"
    work.write_bytes(content)
    return work.replace(folder / name)


def letters(doc: dict) -> dict[str, str]:
    """Return letter -> option."""
    return dict(zip(ascii_uppercase, doc["options"]))


def doc_to_text(doc: dict, lmms_eval_specific_kwargs: dict | None = None) -> str:
    """Return the question, its options with their letters, and the form of the answer."""
    options = letters(doc)
    *others, last = options
    form = f"Reply with one letter, {', '.join(others)} or {last}, and nothing else."
    return "\n".join([doc["question"], *(f"{letter}. {text}" for letter, text in options.items()), form])


def doc_to_visual(doc: dict, lmms_eval_specific_kwargs: dict) -> list[str]:
    """Return the video with its soundtrack, or without it and its sound as a medium of its own."""
    board = BOARDS[doc["board"]]
    folder = home(board)
    video = Path(os.path.abspath(folder / doc["video"]))
    if folder not in video.parents:
        raise ValueError(f"{doc['video']}: leads out of {folder}.")
    if lmms_eval_specific_kwargs["sound"] == "soundtrack":
        return [str(video)]
    beside = [path for path in board.sound(video) if path.is_file()]
    return [str(path) for path in [muted(video), *(beside[:1] or soundtrack(video))]]


def doc_to_messages(doc: dict, lmms_eval_specific_kwargs: dict) -> list[dict]:
    """Return one user turn: the video, its sound if it is given separately, the question."""
    media = zip(("video", "audio"), doc_to_visual(doc, lmms_eval_specific_kwargs))
    content = [{"type": kind, "url": path} for kind, path in media]
    return [{"role": "user", "content": [*content, {"type": "text", "text": doc_to_text(doc)}]}]


def copied(path: Path, kind: str, form: str) -> Path | None:
    """Return a copy of one stream of a video as it is, made once, in the user's cache; None without that stream."""
    stat = path.stat()
    name = f"{path.stem}-{kind}-{stat.st_size}-{stat.st_mtime_ns}.{'mkv' if kind == 'video' else 'mka'}"
    content = io.BytesIO()
    with av.open(str(path)) as source:
        streams = getattr(source.streams, kind)
        if not streams:
            return None
        with av.open(content, "w", format=form) as copy:
            stream = copy.add_stream_from_template(streams[0])
            for packet in source.demux(streams[0]):
                if packet.size:
                    packet.stream = stream
                    copy.mux(packet)
    return kept(name, content.getvalue())


def muted(path: Path) -> Path:
    """Return a video without its soundtrack, its pictures untouched."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return path
    return copied(path, "video", "matroska") or path


def soundtrack(path: Path) -> list[Path]:
    """Return a video's soundtrack as a file, if it has one."""
    found = copied(path, "audio", "matroska")
    return [found] if found is not None else []


def process_results(doc: dict, results: list[str]) -> dict[str, Any]:
    """Return `score`, `accuracy` and `unparsed` (0 or 1), the score by video, and `official` by the board's own rule."""
    board, options = BOARDS[doc["board"]], letters(doc)
    said = reply_reader.spoken(results[0])
    scores = reply_reader.score_choice(options, doc["answer"], "" if said.unclosed else said.text)
    official = {"right": board.official(results[0], doc["answer"], options), "video": doc["video"]}
    by_video = {"score": scores["score"], "video": doc["video"]}
    return {**scores, "by_video": by_video, "official": official, "item": doc["id"], "category": doc["category"]}


def mean_by_video(values: list[dict]) -> float:
    """Return the mean score over items; the harness adds its error, clustered by video."""
    return sum(float(value["score"]) for value in values) / len(values)


def official_mean(values: list[dict]) -> float:
    """Return the share right of the questions that the board's own rule counts."""
    counted = [bool(value["right"]) for value in values if value["right"] is not None]
    return sum(counted) / len(counted) if counted else 0.0
