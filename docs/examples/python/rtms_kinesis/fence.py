"""Lets every identity pass once, and no record of an epoch below the highest that was seen under its partition key."""

from __future__ import annotations

from bisect import bisect_left
from collections import OrderedDict
from typing import Union

# Partition keys remembered. Beyond them, the one that was not used for longest is dropped.
_MAX_KEYS = 20_000
# Ranges of seen numbers remembered for each source: far more gaps than a source of a working meeting ever has.
_MAX_RANGES = 1_000

Source = Union[int, str]
Mark = tuple[str, str, Source, int, int]
"""The newest of one source: partition key, rtms_stream_id, source, epoch, sequence."""


class SequenceRanges:
    """A set of numbers whose memory grows with the gaps between them. Beyond `most` ranges the oldest gap is closed."""

    def __init__(self, most: int = 10_000) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._most = most

    @property
    def last(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __contains__(self, number: int) -> bool:
        if number > self.last:
            return False
        at = bisect_left(self._ends, number)
        return at < len(self._ends) and self._starts[at] <= number

    def add(self, first: int, last: int | None = None) -> None:
        """Adds a number, or all from `first` to `last`."""
        last = first if last is None else last
        if self._ends and first == self._ends[-1] + 1:
            self._ends[-1] = last
            return
        at = bisect_left(self._ends, first - 1)
        until = at
        while until < len(self._starts) and self._starts[until] <= last + 1:
            first, last = min(first, self._starts[until]), max(last, self._ends[until])
            until += 1
        self._starts[at:until], self._ends[at:until] = [first], [last]
        if len(self._starts) > self._most:
            del self._starts[1], self._ends[0]

    def missing(self, last: int | None = None) -> list[tuple[int, int]]:
        """The ranges between 1 and `last` that are not in the set."""
        last = self.last if last is None else last
        found: list[tuple[int, int]] = []
        after = 1
        for start, end in zip(self._starts, self._ends):
            if start > last:
                break
            if start > after:
                found.append((after, start - 1))
            after = end + 1
        if after <= last:
            found.append((after, last))
        return found


class _Key:
    __slots__ = ("epoch", "sources")

    def __init__(self) -> None:
        self.epoch = 0
        self.sources: dict[Source, SequenceRanges] = {}


class EpochFence:
    def __init__(self) -> None:
        self._keys: OrderedDict[tuple[str, str], _Key] = OrderedDict()

    def check(self, key: str, stream: str, source: Source, epoch: int, sequence: int) -> str:
        """Returns `admitted`, `repeated` or `fenced`. Remembers nothing of the record but a higher epoch."""
        state = self._state(key, stream)
        if epoch < state.epoch:
            return "fenced"
        if epoch > state.epoch:
            state.epoch, state.sources = epoch, {}
        seen = state.sources.get(source)
        return "repeated" if seen is not None and sequence in seen else "admitted"

    def delivered(self, key: str, stream: str, source: Source, sequence: int, first: int | None = None) -> None:
        """Remembers an admitted record, or all from `first` on, as delivered."""
        sources = self._state(key, stream).sources
        seen = sources.get(source)
        if seen is None:
            seen = sources[source] = SequenceRanges(_MAX_RANGES)
        seen.add(sequence if first is None else first, sequence)

    def restore(self, marks: list[Mark]) -> None:
        """Counts what an earlier reader had seen as delivered: the newest of each source and all before."""
        for key, stream, source, epoch, sequence in marks:
            if self.check(key, stream, source, epoch, sequence) == "admitted":
                self.delivered(key, stream, source, sequence, first=1)

    def _state(self, key: str, stream: str) -> _Key:
        name = (key, stream)
        state = self._keys.get(name)
        if state is None:
            state = self._keys[name] = _Key()
            if len(self._keys) > _MAX_KEYS:
                self._keys.popitem(last=False)
        else:
            self._keys.move_to_end(name)
        return state
