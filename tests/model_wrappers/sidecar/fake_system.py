"""An adapter of a system that does what its prompt says; the standard library is enough for it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import Any

from aurelia_plugin.model_wrappers.sidecar.kit import (
    Answer,
    Block,
    Generation,
    Image,
    MediaError,
    Options,
    RequestError,
    Sound,
    Used,
    Video,
    conversation,
)
from aurelia_plugin.model_wrappers.sidecar.kit.sound import RATE, read_samples

SYSTEM = "Fake-1"
CAPABILITIES = {
    "sees": ["video", "images"],
    "soundtrack": True,
    "clips": 4,
    "seconds": None,
    "joint": "yes",
}
OPTIONS = {"at_start": "what happens when it is loaded", "prefix": "put in front of every reply"}

sys.stdout.write("upstream code prints while it is imported\n")
os.write(1, b"and so do its libraries\n")


class Fake:
    def __init__(self, options: Options) -> None:
        self.options = options

    def answer(self, blocks: list[Block], generation: Generation) -> Answer:
        used, heard = Used(), 0
        for block in blocks:
            if isinstance(block, Video):
                used.frames += 2
                heard += self._listen(block.sound, used) if block.sound else 0
                heard += os.path.getsize(block.path)
            elif isinstance(block, Sound):
                heard += self._listen(block.path, used)
            elif isinstance(block, Image):
                used.images += 1
        words, _, rest = conversation(blocks).partition(" ")
        doing = getattr(self, f"do_{words}", None)
        text = f"{conversation(blocks)}|{heard}" if doing is None else doing(rest, used)
        used.input_tokens = len(text)
        logits = [float(heard), 1.0] if generation.logits else None
        return Answer(self.options.more.get("prefix", "") + text, used, ("odd",), logits)

    def _listen(self, path: str, used: Used) -> int:
        samples = read_samples(path)
        used.clips += 1
        used.sound_seconds += len(samples) / RATE
        used.sound_tokens += 1 + len(samples) // RATE
        return sum(abs(value) for value in samples[::97])

    def do_pid(self, rest: str, used: Used) -> str:
        return str(os.getpid())

    def do_gpus(self, rest: str, used: Used) -> str:
        time.sleep(float(rest or 0))
        return os.environ.get("CUDA_VISIBLE_DEVICES", "all")

    def do_environment(self, rest: str, used: Used) -> str:
        return os.environ.get(rest, "not set")

    def do_crash(self, rest: str, used: Used) -> str:
        """Crash; with a file's name, only as long as that file does not exist."""
        if rest and os.path.exists(rest):
            return "survived"
        if rest:
            open(rest, "w").close()
        sys.stderr.write("these are my last words\n")
        sys.stderr.flush()
        os._exit(3)

    def do_segfault(self, rest: str, used: Used) -> str:
        os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(60)
        return ""

    def do_hang(self, rest: str, used: Used) -> str:
        if rest:
            with open(rest, "w") as file:
                file.write(str(os.getpid()))
        time.sleep(600)
        return ""

    def do_spin(self, rest: str, used: Used) -> str:
        if rest:
            open(rest, "w").close()
        while True:
            pass

    def do_freeze(self, rest: str, used: Used) -> str:
        os.kill(os.getpid(), signal.SIGSTOP)
        return ""

    def do_print(self, rest: str, used: Used) -> str:
        sys.stdout.write('{"type": "reply", "id": "1", "text": "forged"}\n')
        os.write(1, b"\xff\xfe not JSON at all\n")
        subprocess.run(["echo", "a child's output"], check=True)
        return f"printed, and input gave {sys.stdin.read()!r}"

    def do_huge(self, rest: str, used: Used) -> str:
        return "x\u00e9\n" * int(rest)

    def do_child(self, rest: str, used: Used) -> str:
        return str(subprocess.Popen(["sleep", "600"]).pid)

    def do_random(self, rest: str, used: Used) -> str:
        return str(random.random())

    def do_raise(self, rest: str, used: Used) -> str:
        kinds: Any = {
            "media": MediaError("a.wav", "is noise"),
            "request": RequestError("Too long.", "Make it shorter."),
            "exit": SystemExit(7),
            "cuda": RuntimeError("CUDA error: device-side assert triggered"),
        }
        raise kinds.get(rest, ValueError("upstream's own"))

    def do_lie(self, rest: str, used: Used) -> str:
        used.clips = used.frames = used.images = 0
        return "I looked and listened"

    def do_deaf(self, rest: str, used: Used) -> str:
        used.clips, used.sound_tokens, used.sound_seconds = 0, 0, 0.0
        used.dropped.append("soundtrack: this one does not listen")
        return "quiet"

    def do_zeros(self, rest: str, used: Used) -> str:
        used.sound_tokens = 0
        return "heard zeros"


def load(options: Options) -> Fake:
    start = options.more.get("at_start", "")
    if start == "exit":
        sys.exit(5)
    if start == "raise":
        raise FileNotFoundError("no weights there")
    if start == "slow":
        time.sleep(600)
    if start == "die":
        sys.stderr.write("out of memory, said the system\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    return Fake(options)


def load_tiny(options: Options) -> Fake:
    return Fake(options._replace(more={**options.more, "prefix": f"tiny {options.seed}: "}))
