"""Writes what a runner writes, for tests: MediaRecords and aggregates. Field numbers are those of media_record.proto."""

import hashlib
import zlib

START_MS = 1_800_000_000_000
_FIELDS = {
    "rtms_stream_id": 1, "epoch": 2, "sequence": 3, "media_type": 4, "user_id": 5, "channel_id": 6, "user_name": 7,
    "captured_at_ms": 8, "received_at_ms": 9, "codec": 10, "sample_rate_hz": 11, "channels": 12, "width": 13,
    "height": 14, "chunk_index": 15, "chunk_count": 16, "payload": 18,
}  # fmt: skip


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def sized(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def media(**changes):
    """Twenty milliseconds of L16 of user 7; `crc32` and every field may be given."""
    sequence = changes.get("sequence", 1)
    values = {
        "rtms_stream_id": "stream-1", "epoch": 1, "sequence": sequence, "media_type": 1, "user_id": 7,
        "user_name": "Ada", "captured_at_ms": START_MS + 20 * sequence, "received_at_ms": START_MS + 20 * sequence + 20,
        "codec": 1, "sample_rate_hz": 16_000, "channels": 1, "payload": bytes([sequence % 256]) * 640,
    }  # fmt: skip
    if "channel_id" in changes:
        del values["user_id"]
    values.update(changes)
    checksum = values.pop("crc32", zlib.crc32(values["payload"] or b""))
    out = varint(17 << 3 | 5) + checksum.to_bytes(4, "little")
    for name, value in values.items():
        if isinstance(value, int):
            out += varint(_FIELDS[name] << 3) + varint(value)
        elif value is not None:
            out += sized(_FIELDS[name], value.encode() if isinstance(value, str) else value)
    return out


def aggregate(records, key="stream-1", key_index=0):
    body = sized(1, key.encode())
    for data in records:
        body += sized(3, varint(1 << 3) + varint(key_index) + sized(3, data))
    return bytes.fromhex("f3899ac2") + body + hashlib.md5(body).digest()


def event(sequence=1, name="transcript", epoch=1, subject="stream-1", data=None):
    return {
        "specversion": "1.0", "id": f"{subject}/{epoch}/{sequence}", "source": "/zoom/meeting/m%2F1",
        "type": f"rtms.{name}.v1", "subject": subject, "time": "2026-11-22T10:00:00.000Z",
        "datacontenttype": "application/json", "epoch": epoch, "sequence": sequence, "data": data or {},
    }  # fmt: skip
