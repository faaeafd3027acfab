"""Protocol Buffers as far as our two formats need them: fields of one message, without generated classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Union

from .errors import malformed

VARINT, FIXED64, BYTES, GROUP, GROUP_END, FIXED32 = range(6)
_MAX_VARINT_BYTES = 10
_MAX_GROUP_DEPTH = 32

Value = Union[int, tuple[int, int]]


def varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Returns the number and the offset behind it. Forms that are longer than needed are legal, up to ten bytes."""
    value = shift = 0
    for _ in range(_MAX_VARINT_BYTES):
        if at >= end:
            raise malformed("message ends inside a varint")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise malformed("varint longer than ten bytes")


def fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, Value]]:
    """Yields (field number, wire type, value) of the message in `data[at:end]`.

    The value is a number, or (start, end) of a length-delimited field: payloads are not copied here. Groups, which no
    field of ours is, are stepped over.
    """
    while at < end:
        key = data[at]
        if 0x08 <= key < 0x80:
            at += 1
        else:
            key, at = _key(data, at, end)
        kind = key & 7
        if kind == VARINT:
            # Nearly every number has one byte, and a call for each would cost more than the rest.
            value = data[at] if at < end else 0x80
            if value < 0x80:
                at += 1
            else:
                value, at = varint(data, at, end)
            yield key >> 3, VARINT, value
        elif kind == BYTES:
            size, at = varint(data, at, end)
            if size > end - at:
                raise malformed("field longer than its message")
            yield key >> 3, BYTES, (at, at + size)
            at += size
        elif kind == FIXED32:
            if end - at < 4:
                raise malformed("message ends inside a fixed32")
            yield key >> 3, FIXED32, int.from_bytes(data[at : at + 4], "little")
            at += 4
        else:
            at = _skip(data, key, at, end, 0)


def _key(data: bytes, at: int, end: int) -> tuple[int, int]:
    key, at = varint(data, at, end)
    if not 8 <= key <= 0xFFFFFFFF:
        raise malformed("field number out of range")
    return key, at


def _skip(data: bytes, key: int, at: int, end: int, depth: int) -> int:
    kind = key & 7
    if kind == VARINT:
        return varint(data, at, end)[1]
    if kind == BYTES:
        size, at = varint(data, at, end)
        at += size
    elif kind == FIXED32:
        at += 4
    elif kind == FIXED64:
        at += 8
    elif kind == GROUP and depth < _MAX_GROUP_DEPTH:
        inner, at = _key(data, at, end)
        while inner != key + GROUP_END - GROUP:
            at = _skip(data, inner, at, end, depth + 1)
            inner, at = _key(data, at, end)
    else:
        raise malformed("wire type out of place")
    if at > end:
        raise malformed("field longer than its message")
    return at
