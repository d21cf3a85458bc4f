"""Small repairs that let old upstream code run in newer or smaller environments.

Each changes the worker's own process only, and an adapter calls what its system needs before it
imports upstream code.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import importlib.machinery
import importlib.util
import shutil
import sys
import types
from typing import Any, Iterator, List

__all__ = [
    "alias_functional_tensor",
    "hashable_dataclasses",
    "load_sound_without_torchcodec",
    "require_programs",
    "run_on_cpu",
    "sound_instead",
    "stub",
]


def stub(name: str, **attributes: Any) -> Any:
    """Put an empty module where upstream imports one that inference never uses; return it.

    A module that is installed, or already there, stays. Parents of a dotted name are made too.
    """
    parent = None
    for end in range(1, name.count(".") + 2):
        part = ".".join(name.split(".")[:end])
        if part not in sys.modules:
            if parent is None and importlib.util.find_spec(part) is not None:
                __import__(part)
            else:
                module: Any = types.ModuleType(part)
                module.__path__ = []
                module.__spec__ = importlib.machinery.ModuleSpec(part, None)
                sys.modules[part] = module
        if parent is not None:
            setattr(parent, part.rpartition(".")[2], sys.modules[part])
        parent = sys.modules[part]
    for key, value in attributes.items():
        if not hasattr(parent, key):
            setattr(parent, key, value)
    return parent


def alias_functional_tensor() -> None:
    """Give pytorchvideo 0.1.5 the module that torchvision removed in 0.17."""
    functional = importlib.import_module("torchvision.transforms.functional")
    sys.modules.setdefault("torchvision.transforms.functional_tensor", functional)


def run_on_cpu() -> None:
    """Make hard-coded `.cuda()` and `.half()` harmless where there is no GPU."""
    torch: Any = importlib.import_module("torch")

    def same(self: Any, *_: Any, **__: Any) -> Any:
        return self

    torch.cuda.current_device = lambda: torch.device("cpu")
    torch.cuda.set_device = lambda *_, **__: None
    torch.Tensor.cuda = same
    torch.nn.Module.cuda = same
    torch.Tensor.half = lambda self, *_, **__: self.float()
    torch.nn.Module.half = lambda self: self.float()


def load_sound_without_torchcodec() -> None:
    """Replace `torchaudio.load`, which needs torchcodec from 2.9 on, for WAV files.

    Like the original it returns (float32 tensor [channels, samples], rate); unlike it, it reads
    nothing but the WAV files that a worker is given.
    """
    torch: Any = importlib.import_module("torch")
    torchaudio: Any = importlib.import_module("torchaudio")

    from aurelia_plugin.model_wrappers.sidecar.kit.sound import RATE, read_waveform

    def load(path: Any, *_: Any, **__: Any) -> Any:
        return torch.from_numpy(read_waveform(str(path))).unsqueeze(0), RATE

    torchaudio.load = load


@contextlib.contextmanager
def hashable_dataclasses(package: str) -> Iterator[None]:
    """Let a package that is imported inside define dataclasses whose defaults are dataclasses.

    Python 3.11 takes such a default only if it is hashable. Other packages' stay as they are.
    """
    original: Any = dataclasses.dataclass

    def dataclass(cls: Any = None, **given: Any) -> Any:
        if cls is None:
            return functools.partial(dataclass, **given)
        if cls.__module__.split(".")[0] == package:
            given = {"unsafe_hash": True, **given}
        return original(cls, **given)

    dataclasses.dataclass = dataclass
    try:
        yield
    finally:
        dataclasses.dataclass = original


def require_programs(*names: str) -> None:
    """Check that upstream will find the programs that it starts.

    Raises:
        FileNotFoundError: naming those that are not on the PATH.
    """
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise FileNotFoundError(
            f"not on the PATH: {', '.join(missing)}. Upstream reads media with it; install it, for "
            "instance with `apt-get install ffmpeg`."
        )


@contextlib.contextmanager
def sound_instead(module: Any, loader: str, path: str) -> Iterator[List[Exception]]:
    """Let upstream load a sound of the request where it would read the soundtrack of a video file.

    Args:
        module: where upstream's code looks its loader up.
        loader: the name of the loader, whose first argument is a list of paths.
        path: the sound.

    Yields:
        What the loader raised, for upstream code that goes on without the sound.
    """
    original = getattr(module, loader)
    failures: List[Exception] = []

    def load(_paths: Any, *given: Any, **named: Any) -> Any:
        try:
            return original([path], *given, **named)
        except Exception as error:  # noted because upstream may catch it and go on
            failures.append(error)
            raise

    setattr(module, loader, load)
    try:
        yield failures
    finally:
        setattr(module, loader, original)
