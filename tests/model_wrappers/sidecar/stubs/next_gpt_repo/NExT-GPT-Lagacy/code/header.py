import data
import deepspeed
import ipdb

assert data.__path__ == []
__all__ = ["data", "deepspeed", "ipdb"]
