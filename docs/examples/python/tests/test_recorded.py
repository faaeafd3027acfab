"""What the package makes of records that a runner's own code encoded, against what the TypeScript kit makes of them."""

import base64
import dataclasses
import hashlib
import json
import pathlib
import unittest

from rtms_kinesis import EventDecoder, FrameDecoder, Gaps
from rtms_kinesis.aggregates import user_records
from rtms_kinesis.errors import BadRecord

RECORDED = json.loads((pathlib.Path(__file__).parent / "recorded.json").read_text("utf-8"))


def plain(frame):
    fields = dataclasses.asdict(frame)
    fields["payload"] = hashlib.sha256(frame.payload).hexdigest()
    return {name: value for name, value in fields.items() if value is not None and value is not False}


class Recorded(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.bad = []
        self.frames = FrameDecoder(self.bad.append)
        self.events = EventDecoder(self.bad.append)

    def decode(self, stream):
        decoder = self.frames if stream == "media" else self.events
        for record in RECORDED["records"]:
            if record["stream"] == stream:
                data = base64.b64decode(record["Data"])
                yield from decoder.decode(data, record["PartitionKey"], record["SequenceNumber"])

    def test_frames_are_those_of_the_kit(self):
        self.assertEqual([plain(frame) for frame in self.decode("media")], RECORDED["frames"])

    def test_events_are_those_of_the_kit(self):
        self.assertEqual([event for event, _ in self.decode("events")], RECORDED["events"])

    def test_bad_records_are_those_of_the_kit(self):
        list(self.decode("media")), list(self.decode("events"))
        self.frames.finish()
        self.assertEqual([[error.code, error.sequence_number] for error in self.bad], RECORDED["bad"])

    def test_gaps_are_those_that_were_made(self):
        gaps = Gaps()
        for frame in self.decode("media"):
            gaps.add_frame(frame)
        for event, _ in self.decode("events"):
            gaps.add_event(event)
        found = [[gap.source.media_type, gap.source.epoch, gap.first, gap.last, gap.cause] for gap in gaps.missing()]
        self.assertEqual(found, RECORDED["gaps"])

    def test_aggregates_are_those_of_the_format(self):
        for vector in RECORDED["aggregates"]:
            data = bytes.fromhex(vector["hex"])
            with self.subTest(vector["what"]):
                if vector["expect"] == "bad-index":
                    self.assertRaisesRegex(BadRecord, "bad-index", user_records, data, "outer")
                    continue
                expected = [["outer", vector["hex"]]]
                if vector["expect"] != "pass-through":
                    expected = [[one["partitionKey"], one["dataHex"]] for one in vector["expect"]]
                found = [[key, data[start:end].hex()] for key, start, end in user_records(data, "outer")]
                self.assertEqual(found, expected)
