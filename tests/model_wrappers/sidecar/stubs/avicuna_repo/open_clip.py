import torch


class _CLIP(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.one = torch.nn.Linear(1, 1)

    def encode_image(self, images):
        assert images.shape[1:] == (3, 224, 224)
        return torch.full((len(images), 768), -20.0)


def load_openai_model(name, precision=None, device=None):
    return _CLIP()
