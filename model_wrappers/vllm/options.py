"""Options of `vllm:MODEL`: how the engine is started, and all that an OpenAI-style server takes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from aurelia_plugin.model_wrappers.openai.options import OpenAIOptions

__all__ = ["VLLMOptions"]

_OF_THE_MACHINE = frozenset(
    {
        "python", "devices", "tensor_parallel_size", "pipeline_parallel_size",
        "data_parallel_size", "block_size", "gpu_memory_utilization", "media_per_prompt",
        "media_cache_gb", "kv_cache_gb", "start_timeout", "restarts",
    }
)  # fmt: skip


class VLLMOptions(OpenAIOptions):
    """Options of `vllm:MODEL`; those of `openai:MODEL` as well."""

    server: Literal["vllm"] = "vllm"
    """What the server takes; fixed."""
    python: str | None = None
    """The interpreter of an environment with vLLM; by default that which `aurelia engine create`
    has made, `vllm` before `vllm-cpu`."""
    base_url: str | None = None
    """A server that runs already, up to `/v1`, or several, separated by `|`: none is started."""
    devices: str | None = None
    """GPUs of the engine, as `0|1`; by default all that it sees (`CUDA_VISIBLE_DEVICES`)."""
    tensor_parallel_size: int = Field(1, ge=1)
    """GPUs that share each layer."""
    pipeline_parallel_size: int = Field(1, ge=1)
    """Groups of layers, each on GPUs of its own."""
    data_parallel_size: int = Field(1, ge=1)
    """Copies of the model, each on GPUs of its own, behind one address."""
    gpu_memory_utilization: float | None = Field(None, gt=0, le=1)
    """Share of each GPU's memory that the engine takes; by default vLLM's own."""
    dtype: str | None = None
    """The weights' type; by default vLLM's own choice."""
    quantization: str | None = None
    """How weights are quantised; by default as they are stored."""
    revision: str | None = None
    """The version of the weights on the hub."""
    max_model_len: int | None = Field(None, ge=1)
    """Tokens of prompt and reply at most; by default the model's own context."""
    media_per_prompt: int = Field(64, ge=1)
    """Media of one kind in a prompt at most; `max_frames` if that is more."""
    media_cache_gb: float = Field(4.0, ge=0)
    """Memory for media that were processed, of each process of the engine that keeps them."""
    kv_cache_gb: float | None = Field(None, gt=0)
    """Memory for keys and values on a CPU; by default vLLM's own."""
    block_size: int | None = Field(None, ge=1)
    """Tokens in a block of the prefix cache; by default vLLM's own (16 on GPUs, 128 on CPUs)."""
    flags: str | None = None
    """More flags of `vllm serve`, separated by `|`: `--enforce-eager|--max-num-seqs=16`."""
    start_timeout: float = Field(1800.0, gt=0)
    """Seconds within which the engine has to be ready."""
    restarts: int = Field(1, ge=0)
    """How often an engine that has died is started again."""
    concurrency: int = Field(16, ge=1)
    """Calls under way at once, for each copy of the model."""

    def that_change_replies(self) -> dict[str, object]:
        """Return the options that are part of the backend's identity."""
        asked = super().that_change_replies()
        return {name: value for name, value in asked.items() if name not in _OF_THE_MACHINE}
