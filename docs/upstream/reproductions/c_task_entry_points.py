"""A package declares a folder of tasks as an entry point; does lmms-eval index it?"""

import sys
import tempfile
from pathlib import Path


def fixed():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "their_package.py").write_text(f"TASKS = {folder!r}\n")
        info = root / "their_package-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[lmms_eval.tasks]\ntheirs = their_package:TASKS\n")
        sys.path.insert(0, folder)

        from lmms_eval.tasks import TaskManager

        indexed = []
        manager = TaskManager.__new__(TaskManager)  # indexing everything takes ten seconds
        manager._get_task_and_group = lambda path: indexed.append(path) or {}
        manager.initialize_tasks()
        sys.path.remove(folder)
    return folder in indexed


if __name__ == "__main__":
    print("fixed upstream" if fixed() else "still so")
