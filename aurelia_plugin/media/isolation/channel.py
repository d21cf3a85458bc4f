"""Messages between the process of a run and one that decodes, over a pair of sockets."""

from __future__ import annotations

import mmap
import os
import socket
import struct
import tempfile
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aurelia_plugin.media.isolation.wire import Blob, Value, decoded, encoded

__all__ = ["receive", "send", "shared_memory"]

_LENGTH = struct.Struct("=Q")


def shared_memory(size: int) -> int:
    """Return the file descriptor of memory that can be handed to another process."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("aurelia")
    else:
        with tempfile.TemporaryFile() as file:  # without a name from the start
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size)
    return descriptor


def send(channel: socket.socket, value: Value) -> None:
    """Send a value; its arrays go through shared memory.

    Raises:
        OSError: the other side is gone.
        TypeError: the value holds a type that does not pass (see `wire`).
    """
    text, blobs, size = encoded(value)
    head = _LENGTH.pack(len(text))
    if not size:
        channel.sendall(head + text)
        return
    memory = shared_memory(size)
    try:
        _write(memory, blobs)
        socket.send_fds(channel, [head], [memory])
    finally:
        os.close(memory)
    channel.sendall(text)


def _write(memory: int, blobs: Sequence[tuple[int, Blob]]) -> None:
    for offset, blob in blobs:
        rest = memoryview(blob) if isinstance(blob, bytes) else _bytes_of(blob)
        while rest:
            written = os.pwrite(memory, rest, offset)
            rest, offset = rest[written:], offset + written


def _bytes_of(array: NDArray[np.generic]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def receive(channel: socket.socket) -> Value:
    """Wait for a value and return it. Arrays are views of memory that is nobody else's.

    Raises:
        EOFError: the other side has ended.
        OSError: the other side is gone.
        MediaError: the message cannot be read.
    """
    head, memories, _, _ = socket.recv_fds(channel, _LENGTH.size, 1)
    try:
        head += _exactly(channel, _LENGTH.size - len(head)) if head else b""
        if not head:
            raise EOFError
        text = _exactly(channel, _LENGTH.unpack(head)[0])
        return decoded(bytes(text), _mapped(memories[0]) if memories else None)
    finally:
        for memory in memories:
            os.close(memory)


def _mapped(memory: int) -> memoryview:
    # Private: what is written to the arrays stays here, also in processes that are forked off.
    size = os.fstat(memory).st_size
    protection = mmap.PROT_READ | mmap.PROT_WRITE
    return memoryview(mmap.mmap(memory, size, flags=mmap.MAP_PRIVATE, prot=protection))


def _exactly(channel: socket.socket, size: int) -> bytearray:
    found = bytearray(size)
    view = memoryview(found)
    place = 0
    while place < size:
        count = channel.recv_into(view[place:])
        if not count:
            raise EOFError
        place += count
    return found
