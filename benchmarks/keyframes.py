"""Key frames: the official algorithm against ours on a 720p clip of 10 s.

The official one computes the SSIM of every full-size frame to the one before, in three channels,
and keeps the frame below 0.6 (written anew from that description). Both run one after the other in
this process on the same file, and both give the times of all key frames. Then ours alone on 60 s,
against the clip's known cuts.

Keys: `speedup_vs_official`, `ratio_to_decode` (against decoding alone with the same threads; the
larger of two: the times of all key frames, and the pictures of the first 16, as agents get them),
`f1` (the lower of two: against the official frames on 10 s, and the known cuts on 60 s).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import av
import numpy as np
from shared import f1, note, report, write_clip
from skimage.metrics import structural_similarity

from aurelia_plugin.media.clip import Media
from aurelia_plugin.media.video import keyframe_times, keyframes

_THRESHOLD = 0.6
_PICTURES = 16


def official(path: Path) -> list[float]:
    """Return the times of the frames whose mean SSIM over B, G and R is below 0.6."""
    kept = []
    previous = None
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for frame in container.decode(video=0):
            picture = frame.to_ndarray(format="bgr24")
            if previous is not None:
                scores = [
                    structural_similarity(previous[:, :, channel], picture[:, :, channel])
                    for channel in range(3)
                ]
                if np.mean(scores) < _THRESHOLD:
                    kept.append(float(frame.time))
            previous = picture
    return kept


def decoded(path: Path) -> float:
    """Return the seconds that decoding alone takes."""
    begun = time.perf_counter()
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for _ in container.decode(video=0):
            pass
    return time.perf_counter() - begun


def ours(path: Path) -> tuple[list[float], float]:
    """Return the times of our key frames, all of them, and the seconds taken."""
    begun = time.perf_counter()
    times = keyframe_times(Media.file("video", path), ssim_below=_THRESHOLD)
    return times.tolist(), time.perf_counter() - begun


def pictured(path: Path) -> float:
    """Return the seconds that the pictures of the first key frames take."""
    begun = time.perf_counter()
    keyframes(Media.file("video", path), ssim_below=_THRESHOLD, limit=_PICTURES)
    return time.perf_counter() - begun


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the clips")
    parser.add_argument("--rounds", type=int, default=5, help="of which the fastest counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        short = write_clip(Path(folder) / "10s.mp4", 10, options.seed)
        long = write_clip(
            Path(folder) / "60s.mp4", 60, options.seed + 1, scene=(1.5, 6.0), pans=False
        )
        note(f"clips are there: {len(short.cuts)} cuts in 10 s, {len(long.cuts)} in 60 s")
        ours(long.path)  # loads what is loaded once
        bare, mine, pictures = [], [], []
        for _ in range(options.rounds):  # side by side: what else runs hits both alike
            bare.append(decoded(short.path))
            found, seconds = ours(short.path)
            mine.append(seconds)
            pictures.append(pictured(short.path))
        begun = time.perf_counter()
        reference = official(short.path)
        slow = time.perf_counter() - begun
        note(f"official: {len(reference)} frames in {slow:.1f} s; ours: {len(found)}")
        found_long, seconds_long = ours(long.path)
    official_f1, known_f1 = f1(found, reference), f1(found_long, long.cuts)
    note(
        f"10 s: ours {min(mine):.2f} s, with pictures {min(pictures):.2f} s, "
        f"decoding alone {min(bare):.2f} s, F1 {official_f1:.3f}"
    )
    note(f"60 s: ours {seconds_long:.2f} s, F1 against the known cuts {known_f1:.3f}")
    report(
        {
            "speedup_vs_official": slow / min(mine),
            "ratio_to_decode": max(min(mine), min(pictures)) / min(bare),
            "f1": min(official_f1, known_f1),
        }
    )


if __name__ == "__main__":
    main()
