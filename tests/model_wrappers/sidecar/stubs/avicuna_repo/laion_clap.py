import torch

LOADED = []


class CLAP_Module(torch.nn.Module):
    def __init__(self, enable_fusion=False, device=None, amodel="HTSAT-tiny", tmodel="roberta"):
        super().__init__()
        assert enable_fusion

    def load_ckpt(self, ckpt=None, model_id=-1, verbose=True):
        LOADED.append(ckpt)
