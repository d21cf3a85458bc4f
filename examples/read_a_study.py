"""A study's verdict, its tables, and the questions that reasoning spoiled.

python examples/read_a_study.py results/study
"""

from __future__ import annotations

import sys

from aurelia_plugin.notebooks import open_study


def main(folder: str) -> None:
    """Print what is worth knowing of a study."""
    study = open_study(folder)
    print(study.verdict)
    print(study.table())

    spoiled = list(study.questions(arm="aurelia", change="right_to_wrong"))
    print(f"\n{len(spoiled)} questions were right without reasoning and wrong with it.")
    for question in spoiled[:3]:
        trace = question.trace("aurelia")
        print(f"\n{question.id}: {question.text}")
        print(f"  right: {question.gold}; answered: {question.answers['aurelia'].text}")
        for step in trace.steps if trace else ():
            print(f"  - {step}")


if __name__ == "__main__":
    main(sys.argv[1])
