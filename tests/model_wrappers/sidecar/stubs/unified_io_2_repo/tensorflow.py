"""What the adapter asks of TensorFlow, which is not in the environment of these tests."""

from types import SimpleNamespace

seeds = []
hidden = []
random = SimpleNamespace(set_seed=seeds.append)
config = SimpleNamespace(
    set_visible_devices=lambda devices, device_type=None: hidden.append(device_type)
)
