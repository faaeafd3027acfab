"""MediaRecord (shared/record/media_record.proto), decoded without generated classes."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from .errors import BadRecord, malformed
from .wire import BYTES, FIXED32, VARINT, fields

_MAX_UINT32 = 0xFFFFFFFF
# Numbers beyond this are not exact in JavaScript, so no writer of ours writes them.
_MAX_SAFE = 2**53 - 1
_NUMBERS = {
    2: ("epoch", _MAX_UINT32),
    3: ("sequence", _MAX_SAFE),
    4: ("media_type", _MAX_UINT32),
    8: ("captured_at_ms", _MAX_SAFE),
    9: ("received_at_ms", _MAX_SAFE),
    10: ("codec", _MAX_UINT32),
    11: ("sample_rate_hz", _MAX_UINT32),
    12: ("channels", _MAX_UINT32),
    13: ("width", _MAX_UINT32),
    14: ("height", _MAX_UINT32),
    15: ("chunk_index", _MAX_UINT32),
    16: ("chunk_count", _MAX_UINT32),
}


@dataclass(slots=True)
class MediaRecord:
    """One record as it stands in the stream: a frame, or one chunk of a frame. Enums are Zoom's numbers."""

    rtms_stream_id: str = ""
    epoch: int = 0
    sequence: int = 0
    media_type: int = 0
    user_id: int | None = None
    channel_id: str | None = None
    user_name: str = ""
    captured_at_ms: int = 0
    received_at_ms: int = 0
    codec: int = 0
    sample_rate_hz: int = 0
    channels: int = 0
    width: int = 0
    height: int = 0
    chunk_index: int = 0
    chunk_count: int = 0
    payload: bytes = b""
    recovered: bool = False


def decode_media_record(data: bytes, start: int = 0, end: int | None = None) -> MediaRecord:
    """Decodes and checks one message. Fields of later versions are ignored.

    Raises BadRecord `record/malformed` when this is no complete media record, `record/bad-checksum` when its payload
    was damaged.
    """
    record = MediaRecord()
    payload: tuple[int, int] | None = None
    checksum = 0
    for number, kind, value in fields(data, start, len(data) if end is None else end):
        if kind == VARINT and isinstance(value, int):
            _set_number(record, number, value)
        elif kind == FIXED32 and isinstance(value, int):
            checksum = value if number == 17 else checksum
        elif kind == BYTES and isinstance(value, tuple):
            if number == 18:
                payload = value
            elif number in (1, 6, 7):
                _set_text(record, number, data[value[0] : value[1]].decode("utf-8", "replace"))
    if not (record.rtms_stream_id and record.epoch and record.sequence and record.media_type):
        raise malformed("not a media record: no stream id, epoch, sequence or media type")
    if payload is None:
        raise malformed("media record without a payload")
    if record.user_id is None and record.channel_id is None:
        raise malformed("media record without a source")
    if record.chunk_index and record.chunk_index >= record.chunk_count:
        raise malformed("chunk number beyond the chunk count")
    record.payload = data[payload[0] : payload[1]]
    if zlib.crc32(record.payload) != checksum:
        raise BadRecord("record/bad-checksum", "media payload does not match its checksum")
    return record


def _set_number(record: MediaRecord, number: int, value: int) -> None:
    if number == 5:
        record.user_id, record.channel_id = _checked(value, _MAX_UINT32), None
    elif number == 21:
        record.recovered = value != 0
    elif number in _NUMBERS:
        name, largest = _NUMBERS[number]
        setattr(record, name, _checked(value, largest))


def _set_text(record: MediaRecord, number: int, text: str) -> None:
    if number == 1:
        record.rtms_stream_id = text
    elif number == 7:
        record.user_name = text
    else:
        record.channel_id, record.user_id = text, None


def _checked(value: int, largest: int) -> int:
    if value > largest:
        raise malformed(f"number beyond {largest}")
    return value
