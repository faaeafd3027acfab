#!/usr/bin/env python3
"""Reads records of the `media` and `events` streams from a file, with Python's standard library alone.

Input: one Kinesis record a line, as the AWS CLI and boto3 name its fields:
    {"Data": "<base64>", "PartitionKey": "...", "SequenceNumber": "..."}
Output: one JSON object a line for each frame and event, in order; with --out the payloads as well: Opus as Ogg,
a file for each picture, everything else one file per source. Records that are foreign or damaged are told on stderr and skipped; then the exit code is 1.

The formats are in docs/records.md and shared/record/media_record.proto.
"""

import argparse
import base64
import hashlib
import json
import pathlib
import sys
import zlib

AGGREGATE_MAGIC = bytes.fromhex("f3899ac2")
MD5_BYTES = 16
MEDIA_TYPES = {1: "audio", 2: "video", 4: "deskshare"}
CODECS = {1: "L16", 2: "G711", 3: "G722", 4: "OPUS", 5: "JPG", 6: "PNG", 7: "H264"}
# Field numbers of media_record.proto.
TEXT_FIELDS = {1: "rtmsStreamId", 6: "channelId", 7: "userName"}
NUMBER_FIELDS = {
    2: "epoch", 3: "sequence", 4: "mediaType", 5: "userId", 8: "capturedAtMs", 9: "receivedAtMs",
    10: "codec", 11: "sampleRateHz", 12: "channels", 13: "width", 14: "height",
    15: "chunkIndex", 16: "chunkCount", 17: "crc32",
}


class BadRecord(Exception):
    pass


def protobuf_fields(data):
    """Yields (field number, value); numbers for varints and fixed sizes, bytes for the rest."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            if at >= len(data) or shift > 63:
                raise BadRecord("cut short")
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def take(size):
        nonlocal at
        if at + size > len(data):
            raise BadRecord("cut short")
        at += size
        return data[at - size:at]

    while at < len(data):
        key = varint()
        wire_type = key & 7
        if wire_type == 0:
            value = varint()
        elif wire_type == 1:
            value = int.from_bytes(take(8), "little")
        elif wire_type == 2:
            value = take(varint())
        elif wire_type == 5:
            value = int.from_bytes(take(4), "little")
        else:
            raise BadRecord(f"wire type {wire_type}")
        yield key >> 3, value


def user_records(data, partition_key):
    """Takes a KPL aggregate apart; anything else is one record."""
    body, digest = data[len(AGGREGATE_MAGIC):-MD5_BYTES], data[-MD5_BYTES:]
    if not data.startswith(AGGREGATE_MAGIC) or hashlib.md5(body).digest() != digest:
        yield partition_key, data
        return
    keys = []
    for field, value in protobuf_fields(body):
        if field == 1:
            keys.append(value.decode())
        elif field == 3:
            record = dict(protobuf_fields(value))
            if record.get(1, 0) >= len(keys):
                raise BadRecord("partition key index beyond the table")
            yield keys[record.get(1, 0)], record.get(3, b"")


def media_record(data):
    record = {"epoch": 0, "sequence": 0, "mediaType": 0, "codec": 0, "crc32": 0}
    payload = None
    for field, value in protobuf_fields(data):
        if field in TEXT_FIELDS and isinstance(value, bytes):
            record[TEXT_FIELDS[field]] = value.decode()
        elif field in NUMBER_FIELDS and isinstance(value, int):
            record[NUMBER_FIELDS[field]] = value
        elif field == 18 and isinstance(value, bytes):
            payload = value
    if payload is None or not record.get("rtmsStreamId") or not record["epoch"] or not record["sequence"]:
        raise BadRecord("not a media record")
    if zlib.crc32(payload) != record.pop("crc32"):
        raise BadRecord("payload does not match its checksum")
    return record, payload


def source_of(record):
    return f"user-{record['userId']}" if "userId" in record else f"channel-{record.get('channelId', '')}"


class Reader:
    """Fence, repeats and chunks: docs/records.md says why each is needed. Each stream has its own fence, because
    one may be read ahead of the other."""

    def __init__(self, on_bad):
        self.on_bad = on_bad
        self.highest_epoch = {}
        self.last_sequence = {}
        self.chunks = {}

    def is_late(self, stream, partition_key, epoch):
        return epoch < self.highest_epoch.get((stream, partition_key), 0)

    def admit(self, stream, partition_key, epoch, source, sequence):
        if self.is_late(stream, partition_key, epoch):
            return False
        self.highest_epoch[stream, partition_key] = epoch
        key = (stream, partition_key, epoch, source)
        if sequence <= self.last_sequence.get(key, 0):
            return False
        self.last_sequence[key] = sequence
        return True

    def frame(self, partition_key, data):
        record, payload = media_record(data)
        if self.is_late("media", partition_key, record["epoch"]):
            return None
        source = (record["mediaType"], source_of(record))
        count = record.pop("chunkCount", 0)
        index = record.pop("chunkIndex", 0)
        if count > 1:
            chunks = self.chunks.setdefault((record["rtmsStreamId"], record["epoch"], source, record["sequence"]), {})
            chunks[index] = payload
            if len(chunks) < count:
                return None
            payload = b"".join(chunks[number] for number in sorted(chunks))
        if not self.admit("media", partition_key, record["epoch"], source, record["sequence"]):
            return None
        record["mediaType"] = MEDIA_TYPES.get(record["mediaType"], str(record["mediaType"]))
        record["codec"] = CODECS.get(record["codec"], "UNDEFINED")
        return record, payload

    def read(self, record):
        """Yields ("frame", fields, payload) and ("event", document, None)."""
        data = base64.b64decode(record["Data"], validate=True)
        for partition_key, user_data in user_records(data, record["PartitionKey"]):
            try:
                yield from self.decode(partition_key, user_data)
            except (BadRecord, ValueError, KeyError, TypeError) as error:
                # The others of its aggregate are not to blame.
                self.on_bad(record["SequenceNumber"], error)

    def decode(self, partition_key, data):
        if data[:1] != b"{":
            frame = self.frame(partition_key, data)
            if frame:
                yield ("frame", *frame)
            return
        for line in data.splitlines():
            event = json.loads(line)
            if self.admit("events", partition_key, event["epoch"], "lines", event["sequence"]):
                yield "event", event, None


def ogg_crc(data):
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = ((crc << 1) ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def opus_samples(packet):
    """At 48 kHz; RFC 6716, 3.1 and 3.2."""
    if not packet:
        return 0
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:
        size = (480, 960, 1920, 2880)[config & 3]
    elif config < 16:
        size = (480, 960)[config & 1]
    else:
        size = (120, 240, 480, 960)[config & 3]
    frames = (packet[1] & 0x3F if len(packet) > 1 else 0) if code == 3 else min(code + 1, 2)
    return frames * size


class OggOpus:
    """One speaker's Opus packets in an Ogg file (RFC 3533, RFC 7845). Gaps in the capture times become silence, because
    Ogg cannot leave time out: so the file is in time with the others, counted from its first packet. Audio that Zoom sends
    again after a change of owner is left out. Odd capture times move nothing: a pause of more than a minute is believed
    when the next packet lies behind it too, and when it was one on the runner's clock."""

    SILENCE = bytes.fromhex("f8fffe")
    PRE_SKIP = 312
    LONG_PAUSE = 60 * 48_000
    LONGEST_MEETING = 30 * 3_600 * 48_000
    # From capture to receipt: Zoom holds audio for 60 s.
    MAX_LAG_MS = 65_000

    def __init__(self, path, channels):
        self.file = open(path, "wb")
        self.pages = 0
        self.samples = 0
        self.first_ms = None
        self.lag_ms = None
        self.epoch = None
        self.is_replay = False
        self.waiting = None
        self.pending = None
        head = b"OpusHead" + bytes([1, channels]) + self.PRE_SKIP.to_bytes(2, "little")
        self.page(head + (48_000).to_bytes(4, "little") + bytes(3), 2)
        vendor = b"rtms-kinesis"
        self.page(b"OpusTags" + len(vendor).to_bytes(4, "little") + vendor + bytes(4), 0)

    def write(self, packet, captured_ms, received_ms, epoch):
        size = opus_samples(packet)
        if not size:
            return
        self.first_ms = captured_ms if self.first_ms is None else self.first_ms
        lag_ms = received_ms - captured_ms
        if self.lag_ms is None or abs(lag_ms - self.lag_ms) <= self.MAX_LAG_MS:
            self.lag_ms = lag_ms
            due = (captured_ms - self.first_ms) * 48
        else:
            due = self.waiting[1] + self.waiting[2] if self.waiting else self.samples
        if self.waiting:
            before, before_size, before_due = self.waiting
            self.waiting = None
            self.put(before, before_size, before_due if due >= before_due else self.samples)
        self.is_replay = self.is_replay or (self.epoch is not None and epoch != self.epoch)
        self.epoch = epoch
        if due >= self.samples - 480:
            self.is_replay = False
        if self.is_replay:
            return
        if self.LONG_PAUSE < due - self.samples < self.LONGEST_MEETING:
            self.waiting = packet, size, due
        else:
            self.put(packet, size, due if due < self.samples + self.LONGEST_MEETING else self.samples)

    def put(self, packet, size, due):
        # Capture times jitter: less than two packets is no pause.
        if due - self.samples >= 1920:
            while due - self.samples >= 960:
                self.add(self.SILENCE, 960)
        self.add(packet, size)

    def add(self, packet, size):
        if self.pending:
            self.page(self.pending, 0)
        self.pending = packet
        self.samples += size

    def page(self, packet, flags):
        granule = max(self.samples, 0)
        lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
        header = b"OggS" + bytes([0, flags]) + granule.to_bytes(8, "little") + (1).to_bytes(4, "little")
        header += self.pages.to_bytes(4, "little")
        rest = bytes([len(lacing)]) + lacing + packet
        self.file.write(header + ogg_crc(header + bytes(4) + rest).to_bytes(4, "little") + rest)
        self.pages += 1

    def close(self):
        if self.waiting:
            self.add(*self.waiting[:2])
        if self.pending:
            self.page(self.pending, 4)
        self.file.close()


OGG_FILES = {}


def store(directory, frame, payload):
    folder = pathlib.Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    safe = "".join(c if c.isalnum() or c in "-_" else "-" for c in f"{frame['rtmsStreamId']}-{source_of(frame)}")
    name = f"{safe}-{frame['mediaType']}"
    if frame["codec"] == "OPUS":
        path = folder / f"{name}.ogg"
        if path not in OGG_FILES:
            OGG_FILES[path] = OggOpus(path, frame.get("channels") or 1)
        OGG_FILES[path].write(payload, frame.get("capturedAtMs", 0), frame.get("receivedAtMs", 0), frame["epoch"])
        return
    if frame["codec"] in ("JPG", "PNG"):
        # A file a picture, named by when it was captured (Unix ms).
        (folder / f"{name}-{frame.get('capturedAtMs', 0)}.{frame['codec'].lower()}").write_bytes(payload)
        return
    with open(folder / f"{name}.{frame['codec'].lower()}", "ab") as file:
        file.write(payload)


def show(kind, fields, payload, directory):
    if kind == "frame":
        if directory:
            store(directory, fields, payload)
        fields = {**fields, "bytes": len(payload), "sha256": hashlib.sha256(payload).hexdigest()}
    print(json.dumps({"kind": kind, **fields}, ensure_ascii=False))


def main():
    parser = argparse.ArgumentParser(description="Reads Kinesis records of rtms-kinesis from a file.")
    parser.add_argument("file", help="JSON lines of Kinesis records")
    parser.add_argument("--out", metavar="DIR", help="append each source's payloads to a file here")
    options = parser.parse_args()
    bad = []

    def on_bad(sequence_number, error):
        bad.append(error)
        print(f"sequence number {sequence_number}: skipped: {error!r}", file=sys.stderr)

    reader = Reader(on_bad)
    with open(options.file, encoding="utf-8") as lines:
        for record in (json.loads(line) for line in lines if line.strip()):
            try:
                for kind, fields, payload in reader.read(record):
                    show(kind, fields, payload, options.out)
            except (BadRecord, ValueError) as error:
                on_bad(record["SequenceNumber"], error)
    for file in OGG_FILES.values():
        file.close()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
