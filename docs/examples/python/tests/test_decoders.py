import json
import unittest

from rtms_kinesis import BadRecord, EventDecoder, FrameDecoder
from rtms_kinesis.aggregates import user_records
from rtms_kinesis.fence import SequenceRanges

from .encode import START_MS, aggregate, event, media

KEY = "stream-1"


def sequences(decoder, *records, key=KEY):
    return [
        frame.sequence for number, data in enumerate(records) for frame in decoder.decode(data, key, str(number))
    ]


def collecting():
    errors = []
    return FrameDecoder(errors.append), errors


class Frames(unittest.TestCase):
    def test_come_out_of_an_aggregate_in_order(self):
        self.assertEqual(sequences(FrameDecoder(), aggregate([media(sequence=n) for n in (1, 2, 3)])), [1, 2, 3])

    def test_that_were_delivered_before_are_dropped_and_counted(self):
        decoder = FrameDecoder()
        first, second = media(sequence=1), media(sequence=2)
        self.assertEqual(sequences(decoder, first, first, second, first), [1, 2])
        self.assertEqual(decoder.counts, {"delivered": 2, "repeated": 2, "fenced": 0, "bad": 0})
        self.assertEqual(sequences(FrameDecoder(keep_repeats=True), first, first), [1, 1])

    def test_that_are_late_are_no_repeats(self):
        self.assertEqual(sequences(FrameDecoder(), *(media(sequence=n) for n in (1, 3, 2, 2))), [1, 3, 2])

    def test_of_each_source_are_told_apart(self):
        others = [{}, {"user_id": 8}, {"channel_id": "7"}, {"media_type": 2}, {"rtms_stream_id": "stream-2"}]
        self.assertEqual(len(sequences(FrameDecoder(), aggregate([media(**one) for one in others]))), 5)

    def test_of_a_writer_that_lost_the_ownership_are_fenced_per_key(self):
        decoder = FrameDecoder()
        records = [media(epoch=epoch, sequence=n) for epoch, n in ((1, 1), (2, 1), (1, 2), (2, 2))]
        self.assertEqual(sequences(decoder, *records), [1, 1, 2])
        self.assertEqual(decoder.counts["fenced"], 1)
        self.assertEqual(sequences(decoder, media(epoch=1, media_type=2), key="stream-1#v#7"), [1])

    def test_have_names_for_what_is_not_known(self):
        (frame,) = FrameDecoder().decode(media(codec=99, media_type=4, channel_id="c"), KEY, "1")
        self.assertEqual((frame.codec, frame.media_type, frame.user_id, frame.channel_id), ("UNDEFINED", "deskshare", None, "c"))

    def test_have_fields_of_later_versions_ignored(self):
        later = bytes.fromhex("c80101 d10101020304050607 08".replace(" ", "")) + bytes.fromhex("e30108 01 e401".replace(" ", ""))
        self.assertEqual(sequences(FrameDecoder(), media() + later), [1])


PAYLOAD = bytes(range(251)) * 20
CHUNKS = [
    media(sequence=2, payload=PAYLOAD[at : at + 1000], chunk_index=at // 1000, chunk_count=6)
    for at in range(0, len(PAYLOAD), 1000)
]


class Chunks(unittest.TestCase):
    def test_are_joined_however_often_they_come(self):
        decoder = FrameDecoder()
        records = [*CHUNKS[:3], *CHUNKS, *CHUNKS]
        frames = [frame for data in records for frame in decoder.decode(data, KEY, "1")]
        self.assertEqual([frame.payload for frame in frames], [PAYLOAD])

    def test_that_are_missing_are_reported_and_nothing_is_handed_out_in_part(self):
        decoder, errors = collecting()
        self.assertEqual(sequences(decoder, *CHUNKS[1:], media(sequence=3)), [3])
        self.assertEqual([(error.code, error.sequence_number) for error in errors], [("record/malformed", "0")])

    def test_that_are_missing_are_reported_when_others_go_on_for_a_minute(self):
        decoder, errors = collecting()
        self.assertEqual(sequences(decoder, CHUNKS[0], media(user_id=8, received_at_ms=START_MS + 120_000)), [1])
        self.assertEqual(len(errors), 1)
        self.assertFalse(decoder.is_waiting_in(""))

    def test_that_are_missing_are_reported_at_the_end(self):
        decoder, errors = collecting()
        self.assertEqual(sequences(decoder, CHUNKS[0]), [])
        self.assertTrue(decoder.is_waiting_in(""))
        decoder.finish()
        self.assertEqual(len(errors), 1)


class BadRecords(unittest.TestCase):
    def test_have_a_code_and_their_place(self):
        cases = [
            (b"", "record/malformed"),
            (b"AAAA", "record/malformed"),
            (media(payload=None), "record/malformed"),
            (media(epoch=0), "record/malformed"),
            (media(user_id=None), "record/malformed"),
            (media(media_type=8), "record/malformed"),
            (media(chunk_index=3, chunk_count=2), "record/malformed"),
            (media(captured_at_ms=2**53 - 1), "record/malformed"),
            (media(sequence=2**53), "record/malformed"),
            (media(crc32=1), "record/bad-checksum"),
            (media()[:-1], "record/malformed"),
            (aggregate([media()], key_index=1), "record/bad-index"),
        ]
        for data, code in cases:
            decoder, errors = collecting()
            self.assertEqual(sequences(decoder, data), [], data[:20])
            self.assertEqual([(error.code, error.sequence_number) for error in errors], [(code, "0")], data[:20])

    def test_do_not_hide_the_others_of_their_aggregate(self):
        decoder, errors = collecting()
        self.assertEqual(sequences(decoder, aggregate([b"{}", media(sequence=9), b"junk"])), [9])
        self.assertEqual([error.sub_sequence_number for error in errors], [0, 2])

    def test_are_raised_when_nobody_is_told(self):
        with self.assertRaisesRegex(BadRecord, r"record/malformed.*sequence number 0, part 0"):
            sequences(FrameDecoder(), b"junk")

    def test_that_are_damaged_anywhere_never_give_a_changed_payload(self):
        whole = aggregate([media(sequence=n) for n in (1, 2, 3)])
        for at in range(0, len(whole), 7):
            for damaged in (whole[:at] + bytes([whole[at] ^ 0x15]) + whole[at + 1 :], whole[:at]):
                decoder, _ = collecting()
                for frame in decoder.decode(damaged, KEY, "1"):
                    self.assertEqual(frame.payload, bytes([frame.sequence]) * 640)

    def test_are_what_looks_like_an_aggregate_and_is_none(self):
        data = bytearray(aggregate([b"x"]))
        data[-1] ^= 1
        self.assertEqual(user_records(bytes(data), KEY), [(KEY, 0, len(data))])


class Events(unittest.TestCase):
    def decode(self, *texts, decoder=None):
        decoder = decoder or EventDecoder()
        return [event["id"] for number, text in enumerate(texts) for event, _ in decoder.decode(text, KEY, str(number))]

    def test_are_the_lines_of_a_record_once_each(self):
        lines = b"".join(json.dumps(event(n)).encode() + b"\n" for n in (1, 2, 2))
        self.assertEqual(self.decode(lines, lines), ["stream-1/1/1", "stream-1/1/2"])

    def test_of_a_former_owner_are_dropped(self):
        texts = [json.dumps(event(n, epoch=epoch)).encode() for epoch, n in ((2, 1), (1, 5), (2, 2))]
        self.assertEqual(self.decode(*texts), ["stream-1/2/1", "stream-1/2/2"])

    def test_that_are_none_of_ours_are_reported(self):
        changes = [
            {"type": "other"}, {"source": "/elsewhere/x/y"}, {"epoch": 0}, {"sequence": True}, {"subject": ""},
            {"time": "2026"}, {"time": "2026-13-01T00:00:00Z"}, {"data": "text"}, {"specversion": "0.3"}, {"id": 7},
        ]  # fmt: skip
        texts = [json.dumps({**event(), **change}).encode() for change in changes]
        errors = []
        found = self.decode(*texts, b"{", b"[]", json.dumps(event()).encode(), decoder=EventDecoder(errors.append))
        self.assertEqual((found, len(errors)), (["stream-1/1/1"], 12))


class Ranges(unittest.TestCase):
    def test_are_a_set_of_numbers(self):
        ranges = SequenceRanges()
        for number in (1, 2, 5, 9, 4, 6):
            ranges.add(number)
        self.assertEqual([number for number in range(12) if number in ranges], [1, 2, 4, 5, 6, 9])
        self.assertEqual(ranges.missing(11), [(3, 3), (7, 8), (10, 11)])
        ranges.add(3, 8)
        self.assertEqual(ranges.missing(), [])

    def test_close_the_oldest_gap_beyond_their_bound(self):
        ranges = SequenceRanges(most=2)
        for number in (1, 3, 5, 7):
            ranges.add(number)
        self.assertEqual(ranges.missing(), [(6, 6)])
