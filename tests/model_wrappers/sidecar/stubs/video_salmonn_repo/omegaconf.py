import yaml


class _Config(dict):
    __getattr__ = dict.__getitem__


class OmegaConf:
    @staticmethod
    def load(path):
        with open(path) as file:
            return _Config(yaml.safe_load(file))

    @staticmethod
    def create(values):
        return _Config(values)

    @staticmethod
    def to_container(values):
        return dict(values)
