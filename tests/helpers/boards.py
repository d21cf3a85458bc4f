"""Small folders of the boards' sets: invented questions in their own files' forms, real media."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark.handmade import media

from aurelia_plugin.benchmark.boards.known import BOARD_SETS
from aurelia_plugin.benchmark.synthetic.encode import write_mp4, write_wav

__all__ = ["DAILY", "FILES", "JOINT", "OMNI", "board_files"]

# The sets' oddities are included.
DAILY: list[Any] = [
    {
        "Question": "What is heard when the lamp goes on?",
        "Choice": ["A. A bell", "B. A drum", "C. A dog", "D. Nothing"],
        "Answer": "B",
        "video_id": "Ab_cdEfGhIj",
        "Type": "AV Event Alignment",
        "content_parent_category": "Lifestyle",
        "content_fine_category": "Lamps",
        "video_category": "Howto & Style",
        "video_duration": "30s",
    },
    {
        "Type": "Event Sequence",
        "Question": "What comes first?",
        "Choice": ["A. The bell", "B. The drum", "C. The dog", "D. The lamp"],
        "Answer": "D",
        "Explaination": "The lamp is on before anything sounds.",
        "video_id": "-bcdEfGhIjK",
        "video_category": "Howto & Style",
        "video_duration": "60s",
    },
]
JOINT: list[Any] = [
    {
        "qid": f"AbCdEfGhIjK_task{number}_0",
        "video_name": "AbCdEfGhIjK",
        "task": task,
        "question": "Which thing is named and not shown?",
        "correct_answer": "The broom",
        "explanation": "Nobody sees it.",
        "options": ["The shovel", "The keys", "The hat", "The broom"],
        "video_url": "https://www.youtube.com/watch?v=AbCdEfGhIjK",
        "segment_timestamp": [1.0, 9.5],
    }
    for number, task in ((1, "STL"), (4, "SOOG"))
]
OMNI: list[Any] = [
    {
        "video": "video_1",
        "video_type": "Vlog",
        "duration": "00:02",
        "questions": [
            {
                "question": "Why does she turn round?",
                "question_type": "causal reasoning",
                "audio_type": "Sound",
                "reasoning_steps": [
                    {"modality": "audio", "evidence": "A pan falls.", "inference": "It is loud."},
                    {"modality": "vision", "evidence": "She turns."},
                ],
                "answer": "A pan falls",
                "options": ["A.A dog barks", "B.A pan falls", "C.It rains", "D.She is called"],
                "correct_option": "B",
            },
            {
                "question": "In what tone?",
                "question_type": "sentiment analysis",
                "audio_type": "Speech",
                "reasoning_steps": "",
                "answer": "surprised",
                "options": ["A. confident", "B. awkward", "A. curious", "B. surprised"],
                "correct_option": "D",
            },
        ],
    }
]
FILES: Mapping[str, tuple[list[Any], list[str]]] = {
    "daily_omni": (DAILY, [f"Videos/{r['video_id']}/{r['video_id']}_video.mp4" for r in DAILY]),
    "jointavbench": (JOINT, [f"videos/{row['qid']}.mp4" for row in JOINT]),
    "omnivideobench": (OMNI, ["videos/video_1.mp4"]),
}


def board_files(name: str, folder: Path) -> Path:
    """Write a board's file of questions and its media, and return the folder."""
    rows, videos = FILES[name]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / BOARD_SETS[name].annotations).write_text(json.dumps(rows))
    for number, video in enumerate(videos):
        path = folder / video
        path.parent.mkdir(parents=True, exist_ok=True)
        write_mp4(path, *media(hertz=300.0 + 100 * number))
        if name == "daily_omni":
            beside = path.with_name(path.name.replace("_video.mp4", "_audio.wav"))
            write_wav(beside, media(hertz=900.0)[1])
    return folder
