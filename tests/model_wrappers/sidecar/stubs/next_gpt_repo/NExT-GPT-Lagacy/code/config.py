from pathlib import Path


def load_config(args):
    return {"settings": Path("settings.txt").read_text().strip(), **args}
