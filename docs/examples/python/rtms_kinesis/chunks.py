"""Joins the chunks of frames that were cut: one frame at a time for each source."""

from __future__ import annotations

from typing import Callable, Union

from .errors import BadRecord, malformed
from .media import MediaRecord

# Far above the largest frame that Zoom sends. A set of chunks that is larger is dropped.
_MAX_FRAME_BYTES = 64 * 1024 * 1024
# The chunks of a frame are written within a second: those missing after this time do not come.
_MAX_WAIT_MS = 60_000

SourceKey = tuple[str, Union[int, str]]


class _Partial:
    __slots__ = ("record", "sequence_number", "shard_ids", "chunks", "size")

    def __init__(self, record: MediaRecord, sequence_number: str) -> None:
        self.record = record
        self.sequence_number = sequence_number
        self.shard_ids: set[str] = set()
        self.chunks: dict[int, bytes] = {}
        self.size = 0

    def is_of(self, record: MediaRecord) -> bool:
        own = self.record
        return (own.epoch, own.sequence, own.chunk_count) == (record.epoch, record.sequence, record.chunk_count)


class ChunkAssembler:
    """`on_incomplete` is told of each frame that will never be whole, with the Kinesis record of its first chunk."""

    def __init__(self, on_incomplete: Callable[[BadRecord], None]) -> None:
        self._partial: dict[SourceKey, _Partial] = {}
        self._on_incomplete = on_incomplete

    @property
    def is_waiting(self) -> bool:
        return bool(self._partial)

    def is_waiting_in(self, shard_id: str) -> bool:
        """Whether a frame of which this shard brought a chunk still waits for others."""
        return any(shard_id in partial.shard_ids for partial in self._partial.values())

    def add(self, source: SourceKey, record: MediaRecord, sequence_number: str, shard_id: str) -> bytes | None:
        """Returns the payload of the whole frame once its last chunk is here."""
        self._expire(source, record)
        if record.chunk_count <= 1:
            return record.payload
        partial = self._partial.get(source)
        if partial is None:
            partial = self._partial[source] = _Partial(record, sequence_number)
        partial.shard_ids.add(shard_id)
        if record.chunk_index in partial.chunks:
            return None
        partial.chunks[record.chunk_index] = record.payload
        partial.size += len(record.payload)
        if partial.size > _MAX_FRAME_BYTES:
            self._drop(source, "frame larger than 64 MiB")
        if len(partial.chunks) < record.chunk_count or source not in self._partial:
            return None
        del self._partial[source]
        return b"".join(partial.chunks[index] for index in range(record.chunk_count))

    def finish(self) -> None:
        """Drops all frames that still wait: no more records will come."""
        for source in list(self._partial):
            self._drop(source)

    def _expire(self, source: SourceKey, record: MediaRecord) -> None:
        for key, partial in list(self._partial.items()):
            waited_ms = record.received_at_ms - partial.record.received_at_ms
            if not partial.is_of(record) if key == source else waited_ms > _MAX_WAIT_MS:
                self._drop(key)

    def _drop(self, source: SourceKey, why: str = "frame without all of its chunks") -> None:
        partial = self._partial.pop(source)
        record = partial.record
        where = f"{why}: {record.rtms_stream_id}, epoch {record.epoch}, sequence {record.sequence}"
        self._on_incomplete(malformed(where).at(partial.sequence_number, 0))
