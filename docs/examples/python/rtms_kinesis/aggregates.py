"""Aggregated records of the Kinesis Producer Library: magic | AggregatedRecord | MD5(AggregatedRecord)."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from .errors import BadRecord, malformed
from .wire import BYTES, VARINT, fields

_MAGIC = bytes.fromhex("f3899ac2")
_MD5_BYTES = 16
# The largest record that a Kinesis stream can be configured to hold.
_MAX_BYTES = 10 * 1024 * 1024


class Part(NamedTuple):
    """Where one user record lies in its Kinesis record: `data[start:end]`."""

    partition_key: str
    start: int
    end: int


def user_records(data: bytes, partition_key: str) -> list[Part]:
    """Takes an aggregate apart. Whatever is not an intact aggregate is one user record, as for the KCL.

    Raises BadRecord `record/bad-index` when an intact aggregate names a key that it does not hold.
    """
    whole = [Part(partition_key, 0, len(data))]
    end = len(data) - _MD5_BYTES
    if not len(_MAGIC) < end <= _MAX_BYTES - _MD5_BYTES or not data.startswith(_MAGIC):
        return whole
    if hashlib.md5(memoryview(data)[len(_MAGIC) : end], usedforsecurity=False).digest() != data[end:]:
        return whole
    keys: list[str] = []
    hash_keys = 0
    entries: list[tuple[int, int | None, int, int]] = []
    try:
        for number, kind, value in fields(data, len(_MAGIC), end):
            if kind != BYTES or not isinstance(value, tuple):
                continue
            if number == 1:
                keys.append(data[value[0] : value[1]].decode("utf-8", "replace"))
            elif number == 2:
                hash_keys += 1
            elif number == 3:
                entries.append(_entry(data, *value))
    except BadRecord:
        return whole
    # Looked up at the end, because the tables may stand behind the records.
    for key, hash_key, _, _ in entries:
        if key >= len(keys) or (hash_key is not None and hash_key >= hash_keys):
            raise BadRecord("record/bad-index", "aggregate names a key that it does not hold")
    return [Part(keys[key], start, end) for key, _, start, end in entries]


def _entry(data: bytes, start: int, end: int) -> tuple[int, int | None, int, int]:
    key: int | None = None
    hash_key: int | None = None
    found: tuple[int, int] | None = None
    for number, kind, value in fields(data, start, end):
        if number == 3 and kind == BYTES and isinstance(value, tuple):
            found = value
        elif number == 1 and kind == VARINT and isinstance(value, int):
            key = value
        elif number == 2 and kind == VARINT and isinstance(value, int):
            hash_key = value
    if key is None or found is None:
        raise malformed("user record without a key or data")
    return key, hash_key, *found
