"""What the adapter asks of OmegaConf, which is not in the environment of these tests."""

from types import SimpleNamespace

import yaml


class OmegaConf:
    @staticmethod
    def load(file_):
        with open(file_, encoding="utf-8") as file:
            return SimpleNamespace(**yaml.safe_load(file))
