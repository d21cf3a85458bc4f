"""What passes between the process of a run and those that decode: JSON, and arrays beside it.

Not pickle: what has read a hostile file must not decide what code runs here. Only the types named
below pass. Arrays and bytes are not in the text but in a piece of memory that both can map.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from aurelia_plugin.errors import MediaError
from aurelia_plugin.media.medium import Frames, Media, Waveform

__all__ = ["Blob", "Value", "decoded", "encoded", "passes"]

Value: TypeAlias = object
Blob: TypeAlias = NDArray[np.generic] | bytes

_ALIGNMENT = 64
_MEDIA_FIELDS = ("kind", "path", "data", "start", "end", "silenced", "blanked", "sound")

_TUPLES: dict[str, type[tuple[object, ...]]] = {"Waveform": Waveform, "Frames": Frames}

TupleT = TypeVar("TupleT", bound=tuple[object, ...])


def passes(kind: type[TupleT]) -> type[TupleT]:
    """Let a NamedTuple pass between processes, as a decorator."""
    _TUPLES[kind.__name__] = kind
    return kind


class _Encoder:
    def __init__(self) -> None:
        self.blobs: list[Blob] = []
        self.size = 0

    def encode(self, value: Value) -> object:
        """Return the value in JSON's terms; its arrays and bytes are kept in `blobs`."""
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, np.ndarray):
            place = self._place(np.ascontiguousarray(value), value.nbytes)
            return {"array": place, "dtype": value.dtype.str, "shape": list(value.shape)}
        if isinstance(value, bytes):
            return {"bytes": self._place(value, len(value)), "size": len(value)}
        if isinstance(value, Path):
            return {"path": os.path.abspath(value)}
        if isinstance(value, Fraction):
            return {"fraction": [value.numerator, value.denominator]}
        if isinstance(value, Media):
            fields = {name: self.encode(getattr(value, name)) for name in _MEDIA_FIELDS}
            return {"media": fields}
        name = type(value).__name__
        if isinstance(value, tuple) and _TUPLES.get(name) is type(value):
            return {"tuple": name, "items": [self.encode(item) for item in value]}
        if isinstance(value, list | tuple):
            return {"list" if isinstance(value, list) else "items": [self.encode(v) for v in value]}
        if isinstance(value, dict):
            return {"dict": {str(key): self.encode(item) for key, item in value.items()}}
        raise TypeError(f"{type(value)} does not pass between processes")

    def _place(self, blob: Blob, size: int) -> int:
        offset = self.size
        self.blobs.append(blob)
        self.size += -(-size // _ALIGNMENT) * _ALIGNMENT
        return offset


def encoded(value: Value) -> tuple[bytes, list[tuple[int, Blob]], int]:
    """Return a value as JSON, its arrays and bytes with their offsets, and the size of all these.

    Raises:
        TypeError: it holds a type that does not pass.
    """
    encoder = _Encoder()
    text = json.dumps(encoder.encode(value)).encode("utf-8", "surrogatepass")
    offsets, place = [], 0
    for blob in encoder.blobs:
        offsets.append((place, blob))
        size = len(blob) if isinstance(blob, bytes) else blob.nbytes
        place += -(-size // _ALIGNMENT) * _ALIGNMENT
    return text, offsets, encoder.size


def decoded(text: bytes, memory: memoryview | None) -> Value:
    """Return the value; its arrays lie in `memory`, without a copy.

    Raises:
        MediaError: it is not what `encoded` makes.
    """
    try:
        return _decoded(json.loads(text.decode("utf-8", "surrogatepass")), memory)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise MediaError("the decoding process", f"sent what cannot be read: {error}") from error


def _decoded(value: object, memory: memoryview | None) -> Value:
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return _array(value, memory)
    if "bytes" in value:
        begin, size = int(value["bytes"]), int(value["size"])
        return bytes(memory[begin : begin + size]) if memory is not None else b""
    if "path" in value:
        return Path(value["path"])
    if "fraction" in value:
        return Fraction(*value["fraction"])
    if "media" in value:
        fields = {name: _decoded(value["media"][name], memory) for name in _MEDIA_FIELDS}
        return Media(**fields)  # type: ignore[arg-type]
    if "dict" in value:
        return {key: _decoded(item, memory) for key, item in value["dict"].items()}
    if "list" in value:
        return [_decoded(item, memory) for item in value["list"]]
    items: Sequence[Value] = tuple(_decoded(item, memory) for item in value["items"])
    return _TUPLES[value["tuple"]](*items) if "tuple" in value else items  # type: ignore[arg-type]


def _array(value: dict[str, object], memory: memoryview | None) -> NDArray[np.generic]:
    dtype = np.dtype(str(value["dtype"]))
    shape = [int(side) for side in value["shape"]]  # type: ignore[attr-defined]
    count = int(np.prod(shape, dtype=np.int64))
    if dtype.kind not in "iufb":
        raise TypeError(f"arrays of {dtype}")
    if not count or memory is None:
        return np.zeros(shape, dtype)
    begin = int(value["array"])  # type: ignore[call-overload]
    return np.frombuffer(memory, dtype, count, begin).reshape(shape)
