"""Records of the `media` stream become whole frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Callable

from .aggregates import user_records
from .chunks import ChunkAssembler
from .errors import BadRecord, malformed
from .fence import EpochFence, Mark, Source
from .media import MediaRecord, decode_media_record

MEDIA_TYPES = {1: "audio", 2: "video", 4: "deskshare"}
CODECS = {1: "L16", 2: "G711", 3: "G722", 4: "OPUS", 5: "JPG", 6: "PNG", 7: "H264"}
_NUMBERS = {name: number for number, name in MEDIA_TYPES.items()}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# Beyond this no JavaScript date exists, and the TypeScript kit calls such a record malformed.
_MAX_TIME_MS = 8_640_000_000_000_000


@dataclass(slots=True)
class Frame:
    """One whole media frame as Zoom sent it. Numbers are 0 where they do not apply; times are Unix ms."""

    rtms_stream_id: str
    epoch: int
    """Ownership number of the runner that wrote it."""
    sequence: int
    """Counts from 1 for each stream, epoch, media type and source. A number that is missing is a lost frame."""
    media_type: str
    """`audio`, `video` or `deskshare`."""
    user_id: int | None
    channel_id: str | None
    user_name: str
    captured_at_ms: int
    """By Zoom's clock."""
    received_at_ms: int
    """By the runner's clock."""
    codec: str
    """Zoom's name; `UNDEFINED` also for a number that this version does not know."""
    sample_rate_hz: int
    channels: int
    width: int
    height: int
    payload: bytes
    recovered: bool
    """It was read back from the disk of a runner that had died (docs/records.md)."""
    partition_key: str
    kinesis_sequence_number: str
    """Of the Kinesis record that brought it (its last chunk)."""

    @property
    def captured_at(self) -> datetime:
        return _EPOCH + timedelta(milliseconds=self.captured_at_ms)

    @property
    def mark(self) -> Mark:
        """How a checkpoint remembers it."""
        source = _source(_NUMBERS[self.media_type], self.user_id, self.channel_id)
        return (self.partition_key, self.rtms_stream_id, source, self.epoch, self.sequence)


class FrameDecoder:
    """Takes aggregates apart, checks records, drops repeats and late writers, joins chunks.

    It keeps state between calls: one decoder must see all records of a partition key, in order. `on_bad_record` is told
    of every record that is foreign or damaged, which is then skipped; without it the BadRecord is raised.
    With `keep_repeats` repeats and late writers are handed out too: for checking, not for playing.
    """

    def __init__(self, on_bad_record: Callable[[BadRecord], None] | None = None, keep_repeats: bool = False) -> None:
        self.counts = {"delivered": 0, "repeated": 0, "fenced": 0, "bad": 0}
        self._on_bad_record = on_bad_record
        self._keep_repeats = keep_repeats
        self._fence = EpochFence()
        self._incomplete: list[BadRecord] = []
        self._chunks = ChunkAssembler(self._incomplete.append)

    def restore(self, marks: list[Mark]) -> None:
        """Drops from now on what an earlier reader has seen, and what was fenced for it."""
        self._fence.restore(marks)

    def is_waiting_in(self, shard_id: str) -> bool:
        return self._chunks.is_waiting_in(shard_id)

    def decode(
        self, data: bytes, partition_key: str, sequence_number: str, shard_id: str = ""
    ) -> Iterator[Frame]:
        """Yields the frames that this Kinesis record completes, in order."""
        try:
            parts = user_records(data, partition_key)
        except BadRecord as error:
            self._bad(error.at(sequence_number, 0))
            return
        for place, (key, start, end) in enumerate(parts):
            try:
                frame = self._admit(key, decode_media_record(data, start, end), sequence_number, shard_id)
            except BadRecord as error:
                self._bad(error.at(sequence_number, place))
            else:
                if frame is not None:
                    self.counts["delivered"] += 1
                    yield frame
            if self._incomplete:
                self._report_incomplete()

    def finish(self) -> None:
        """Reports frames whose chunks are still missing. To be called when no more records will come."""
        self._chunks.finish()
        self._report_incomplete()

    def _admit(self, key: str, record: MediaRecord, sequence_number: str, shard_id: str) -> Frame | None:
        stream = record.rtms_stream_id
        source = _source(record.media_type, record.user_id, record.channel_id)
        admission = self._fence.check(key, stream, source, record.epoch, record.sequence)
        if admission != "admitted":
            self.counts[admission] += 1
            if not self._keep_repeats:
                return None
        payload: bytes | None = record.payload
        if record.chunk_count > 1 or self._chunks.is_waiting:
            payload = self._chunks.add((stream, source), record, sequence_number, shard_id)
        if payload is None:
            return None
        frame = _frame(record, payload, key, sequence_number)
        if admission == "admitted":
            self._fence.delivered(key, stream, source, record.sequence)
        return frame

    def _report_incomplete(self) -> None:
        errors = self._incomplete[:]
        self._incomplete.clear()
        for error in errors:
            self._bad(error)

    def _bad(self, error: BadRecord) -> None:
        self.counts["bad"] += 1
        if self._on_bad_record is None:
            raise error
        self._on_bad_record(error)


def _source(media_type: int, user_id: int | None, channel_id: str | None) -> Source:
    return f"{media_type} {channel_id}" if user_id is None else user_id * 8 + media_type


def _frame(record: MediaRecord, payload: bytes, partition_key: str, sequence_number: str) -> Frame:
    media_type = MEDIA_TYPES.get(record.media_type)
    if media_type is None:
        raise malformed("media record of a type that carries no frames")
    if max(record.captured_at_ms, record.received_at_ms) > _MAX_TIME_MS:
        raise malformed("media record with a time that no calendar has")
    return Frame(
        rtms_stream_id=record.rtms_stream_id,
        epoch=record.epoch,
        sequence=record.sequence,
        media_type=media_type,
        user_id=record.user_id,
        channel_id=record.channel_id,
        user_name=record.user_name,
        captured_at_ms=record.captured_at_ms,
        received_at_ms=record.received_at_ms,
        codec=CODECS.get(record.codec, "UNDEFINED"),
        sample_rate_hz=record.sample_rate_hz,
        channels=record.channels,
        width=record.width,
        height=record.height,
        payload=payload,
        recovered=record.recovered,
        partition_key=partition_key,
        kinesis_sequence_number=sequence_number,
    )
