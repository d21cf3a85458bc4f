"""Run in a system's own Python: compare its adapter with upstream's own inference.

`run.py WORKER ADAPTER REPO FOLDER VIDEO SOUND SYSTEM`: the last names the script beside this one
that says what upstream's own code gives its language model, and, where it can be had, the reply.
"""

import importlib.util
import os
import random
import runpy
import sys

# The scripts beside this one have names that upstream's packages have, too.
sys.path.pop(0)


def imported(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


worker, adapter_file, repo, folder, video, sound, name = sys.argv[1:]
runpy.run_path(worker)["make_importable"]()
sys.path.insert(0, repo)
adapter = imported("adapter", adapter_file)

import numpy as np  # noqa: E402
import torch  # noqa: E402

from aurelia_plugin.model_wrappers.sidecar.kit import Generation, Options, Text, Video  # noqa: E402


def seeded():
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


seeded()
case = imported("case", os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{name}.py"))
options = Options(repo, "", "cpu", 0, folder, getattr(case, "OPTIONS", {}))
system = adapter.load_tiny(options)
question = "What rings?"
blocks = [Video("user", video, case.SOUND and sound, 2.0, 2.0), Text("user", question)]
with torch.no_grad():
    noted = case.noting(system)
    seeded()
    ours = system.answer(blocks, Generation(max_new_tokens=6)).text.strip()
    seeded()
    theirs = case.theirs(system, video, sound, question)
own, other = noted[0], noted[-1]
assert len(noted) >= 2, len(noted)
assert own.shape == other.shape, (own.shape, other.shape)
# Ids are equal; vectors are up to the order in which sums of 32 bits are made.
torch.testing.assert_close(own, other, rtol=0, atol=1e-5 if own.is_floating_point() else 0)
assert theirs is None or ours == theirs, (ours, theirs)
sys.stdout.write(f"equal {own.shape[1]} {theirs is not None}\n")
