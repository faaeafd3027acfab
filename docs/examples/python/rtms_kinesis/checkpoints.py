"""Where a reader stands: positions, and the newest of each source, by which repeats are known after a restart."""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import Protocol, Union

from .fence import Mark, Source

# Sources remembered for each shard. Beyond them, the one that was not used for longest is dropped.
_MAX_MARKS = 1_000


class CheckpointStore(Protocol):
    """Two functions of yours, called for one shard at a time.

    `position` is a Kinesis sequence number, all before it processed, or `SHARD_END`. `seen` is text: a store that keeps
    it and gives both back makes the reader drop repeats and late writers across a restart.
    """

    def load(self, shard_id: str) -> tuple[str, str] | None:
        """Returns (position, seen) as saved last, or None."""

    def save(self, shard_id: str, position: str, seen: str) -> None: ...


class Marks:
    """The newest of each source that was processed."""

    def __init__(self, text: str = "") -> None:
        self._marks: OrderedDict[tuple[str, str, Source], Mark] = OrderedDict()
        for mark in _parse(text):
            self.add(mark)

    def add(self, mark: Mark) -> None:
        key = mark[:3]
        known = self._marks.pop(key, None)
        # A reader that keeps repeats finishes older frames again. They must not move the mark back.
        self._marks[key] = known if known is not None and known[3:] >= mark[3:] else mark
        if len(self._marks) > _MAX_MARKS:
            self._marks.popitem(last=False)

    def list(self) -> list[Mark]:
        return list(self._marks.values())

    def text(self) -> str:
        return json.dumps(self.list(), ensure_ascii=False, separators=(",", ":"))


def _parse(text: str) -> list[Mark]:
    """Text that cannot be read counts as nothing seen: repeats are then handed out again."""
    try:
        found = json.loads(text or "[]")
    except ValueError:
        return []
    return [_mark(one) for one in found if _is_mark(one)] if isinstance(found, list) else []


def _is_mark(one: object) -> bool:
    return isinstance(one, list) and [_kind(part) for part in one] in _SHAPES


def _kind(part: Union[str, int, object]) -> str:
    return type(part).__name__


_SHAPES = (["str", "str", "int", "int", "int"], ["str", "str", "str", "int", "int"])


def _mark(one: list[object]) -> Mark:
    key, stream, source, epoch, sequence = one
    assert isinstance(key, str) and isinstance(stream, str) and isinstance(source, (int, str))
    assert isinstance(epoch, int) and isinstance(sequence, int)
    return (key, stream, source, epoch, sequence)
