"""The Ray engine on a cluster of two nodes on this machine, one of which dies on the way."""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from fake_servers import Answer, Request, completion, serving

from aurelia_plugin.cli import main
from aurelia_plugin.traces.datasets import Row, row_of
from aurelia_plugin.traces.store import TraceStore

ray = pytest.importorskip("ray", reason="the extra ray is not installed")
pytest.importorskip("ray.data", reason="the extra ray is not installed")

TASKS = "avreasonbench_mini_geoiq,avreasonbench_mini_meme"
LIMIT = 24
QUESTIONS = 2 * LIMIT


def reply(request: Request) -> Answer:
    """Answer by what is asked alone, after a while: the same in whatever order it comes."""
    time.sleep(0.05)
    digest = hashlib.sha256(json.dumps(request.body["messages"]).encode()).hexdigest()
    said = {"steps": [f"Look at {digest[:8]}."], "answers": ["x"], "final_answer": "y"}
    return completion(json.dumps({**said, "score": int(digest[:2], 16) % 10 + 1}))


def rows_of(folder: Path) -> dict[str, Row]:
    return {trace.key: row_of(trace) for trace in TraceStore(folder, writable=False).traces()}


def test_a_cluster_that_loses_a_node_makes_the_traces_of_one_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from ray.cluster_utils import Cluster

    def arguments(url: str, traces: str) -> list[str]:
        spec = f"openai:m-1?server=vllm&base_url={url}/v1"
        given = f"agents={spec},traces={tmp_path / traces},max_iterations=2"
        common = ["--tasks", TASKS, "--limit", str(LIMIT)]
        return ["distil", *common, "--model_args", given]

    with serving(reply) as server:
        assert main(arguments(server.url, "single")) == 0
        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        doomed = cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False)
        try:
            server.requests.clear()
            killed = threading.Event()

            def kill() -> None:
                while len(server.requests) < 40:
                    time.sleep(0.02)
                cluster.remove_node(doomed, allow_graceful=False)
                killed.set()

            threading.Thread(target=kill, daemon=True).start()
            to = tmp_path / "parquet"
            on_ray = [*arguments(server.url, "shared"), "--engine", "ray", "--to", str(to)]
            capsys.readouterr()
            assert main([*on_ray, "--workers", "2"]) == 0
            assert killed.is_set(), "the run was over before the node was killed"
            said = capsys.readouterr().out
            before = len(server.requests)
            assert main([*on_ray, "--workers", "1"]) == 0
            assert len(server.requests) == before  # all of it is in the files
        finally:
            ray.shutdown()
            cluster.shutdown()
    assert re.search(rf"{QUESTIONS} questions", said)
    assert main(["traces", "pull", str(to), "--to", str(tmp_path / "pulled")]) == 0
    single, pulled = rows_of(tmp_path / "single"), rows_of(tmp_path / "pulled")
    assert len(single) == QUESTIONS
    assert Counter(row["stop"] for row in single.values()).keys() == {"accepted", "exhausted"}
    assert pulled == single
    assert os.environ.get("RAY_ADDRESS") is None
