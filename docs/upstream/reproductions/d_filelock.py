"""filelock 4.3 has no module `_api`; does an evaluation still begin?"""

import sys

import filelock  # noqa: F401 - the module is there before its private part is taken away
from lmms_eval.evaluator import _enable_reentrant_filelocks


def fixed():
    hidden = sys.modules.pop("filelock._api", None)
    sys.modules["filelock._api"] = None  # what an import of a module that is not there ends in
    try:
        _enable_reentrant_filelocks()
    except ImportError:
        return False
    finally:
        del sys.modules["filelock._api"]
        if hidden is not None:
            sys.modules["filelock._api"] = hidden
    return True


if __name__ == "__main__":
    print("fixed upstream" if fixed() else "still so")
