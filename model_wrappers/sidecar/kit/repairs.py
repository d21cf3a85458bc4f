"""Small repairs of torch and its companions for old upstream code, in the worker's process only.

An adapter calls what its system needs before it imports upstream code.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Optional, Tuple

from aurelia_plugin.model_wrappers.sidecar.kit.shims import stub

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "attention_without_flash",
    "load_sound_without_torchcodec",
    "one_process_group",
    "pytorchvideo_that_imports",
    "run_on_cpu",
]


def pytorchvideo_that_imports() -> None:
    """Give pytorchvideo 0.1.5 the module that torchvision removed in 0.17, and a newer argument.

    ImageBind's loader hands `sample_rate` to `EncodedVideo.from_path`, which no release of
    pytorchvideo takes; it concerns the sound, and that is not decoded there. Where pytorchvideo is
    not installed nothing is done.
    """
    if importlib.util.find_spec("pytorchvideo") is None:
        return
    functional = importlib.import_module("torchvision.transforms.functional")
    sys.modules.setdefault("torchvision.transforms.functional_tensor", functional)
    videos = importlib.import_module("pytorchvideo.data.encoded_video").EncodedVideo
    original = videos.from_path

    def from_path(
        path: str, *given: object, sample_rate: Optional[int] = None, **named: object
    ) -> object:
        return original(path, *given, **named)

    videos.from_path = from_path


def run_on_cpu() -> None:
    """Make hard-coded `.cuda()` and `.half()` harmless where there is no GPU."""
    torch = importlib.import_module("torch")

    def same(self: object, *_: object, **__: object) -> object:
        return self

    torch.cuda.current_device = lambda: torch.device("cpu")
    torch.cuda.set_device = lambda *_, **__: None
    torch.cuda.HalfTensor = torch.FloatTensor
    torch.Tensor.cuda = same
    torch.nn.Module.cuda = same
    torch.Tensor.half = lambda self, *_, **__: self.float()
    torch.nn.Module.half = lambda self: self.float()


def load_sound_without_torchcodec() -> None:
    """Replace `torchaudio.load` and `torchaudio.info`, which need torchcodec or are gone.

    Like the originals they return (float32 tensor [channels, samples], rate) of an excerpt, and
    what is known of a file; unlike them, they read nothing but the WAV files that a worker is
    given.
    """
    torch = importlib.import_module("torch")
    torchaudio: Any = importlib.import_module("torchaudio")

    from aurelia_plugin.model_wrappers.sidecar.kit.sound import RATE, read_samples, read_waveform

    def load(
        path: object, frame_offset: int = 0, num_frames: int = -1, *_: object, **__: object
    ) -> Tuple[Tensor, int]:
        end = None if num_frames < 0 else frame_offset + num_frames
        return torch.from_numpy(read_waveform(str(path))[frame_offset:end]).unsqueeze(0), RATE

    def info(path: object, *_: object, **__: object) -> SimpleNamespace:
        count = len(read_samples(str(path)))
        return SimpleNamespace(
            sample_rate=RATE,
            num_frames=count,
            num_channels=1,
            bits_per_sample=16,
            encoding="PCM_S",
        )

    torchaudio.load, torchaudio.info = load, info


def attention_without_flash() -> None:
    """Where flash_attn is not installed, put a `flash_attn_func` that computes the same.

    It takes queries [batch, positions, heads, width], and keys and values alike, perhaps longer
    ones; causal attention of the last queries over all keys, as flash_attn 2.1 and later do it.
    """
    torch = importlib.import_module("torch")

    def flash_attn_func(
        q: Tensor,
        k: Tensor,
        v: Tensor,
        dropout_p: float = 0.0,
        softmax_scale: Optional[float] = None,
        causal: bool = False,
    ) -> Tensor:
        queries, keys, values = (part.transpose(1, 2) for part in (q, k, v))
        mask = None
        if causal:
            seen = torch.ones(q.shape[1], k.shape[1], dtype=torch.bool, device=q.device)
            mask = seen.tril(k.shape[1] - q.shape[1])
        attend = torch.nn.functional.scaled_dot_product_attention
        out: Tensor = attend(queries, keys, values, mask, dropout_p, scale=softmax_scale)
        return out.transpose(1, 2)

    stub("flash_attn", flash_attn_func=flash_attn_func)


def one_process_group(folder: str) -> None:
    """Make this process a process group of its own, and fairscale's model-parallel one, too.

    Args:
        folder: an empty one, for the file by which processes of a group would meet.
    """
    distributed = importlib.import_module("torch.distributed")
    parallel = importlib.import_module("fairscale.nn.model_parallel.initialize")
    if not distributed.is_initialized():
        meeting = f"file://{folder}/process-group"
        distributed.init_process_group("gloo", init_method=meeting, rank=0, world_size=1)
    if not parallel.model_parallel_is_initialized():
        parallel.initialize_model_parallel(1)
