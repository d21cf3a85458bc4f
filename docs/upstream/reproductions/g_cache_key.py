"""A model fills in its defaults while it answers; is its answer found again?"""

import tempfile

from lmms_eval.api.instance import Instance
from lmms_eval.caching.response_cache import ResponseCache


class Model:
    """As the bundled wrappers do, it completes the request's own settings."""

    def __init__(self):
        self.asked = 0

    def generate_until(self, requests):
        self.asked += len(requests)
        for request in requests:
            request.args[1].setdefault("max_new_tokens", 4096)
            request.args[1].setdefault("num_beams", 1)
        return ["an answer" for _ in requests]


def request():
    about = {"task": "t", "doc_id": 0, "repeats": 1}
    arguments = ("What?", {"temperature": 0}, None, 0, "t", "test")
    return Instance(request_type="generate_until", arguments=arguments, idx=0, metadata=about)


def fixed():
    with tempfile.TemporaryDirectory() as folder:
        model = Model()
        for _ in range(2):
            cache = ResponseCache.create(folder, model="m", model_args="")
            cache.execute(model, "generate_until", [request()])
            cache.finalize(success=True)
    return model.asked == 1


if __name__ == "__main__":
    print("fixed upstream" if fixed() else "still so")
