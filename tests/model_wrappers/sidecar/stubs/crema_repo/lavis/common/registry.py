import torch


class Frames:
    def __init__(self, image_size, n_frms):
        self.form = (3, n_frms, image_size, image_size)

    def __call__(self, vpath):
        return torch.ones(self.form), [0], 10.0


class registry:
    @staticmethod
    def get_processor_class(name):
        assert name == "blip_video_eval"
        return Frames
