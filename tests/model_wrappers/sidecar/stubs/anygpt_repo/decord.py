from types import SimpleNamespace

import numpy as np


class VideoReader:
    def __init__(self, path):
        self.path = path

    def __len__(self):
        return 40

    def get_batch(self, places):
        assert all(0 <= place < 40 for place in places)
        frames = np.zeros((len(places), 8, 8, 3), dtype=np.uint8)
        return SimpleNamespace(asnumpy=lambda: frames)
