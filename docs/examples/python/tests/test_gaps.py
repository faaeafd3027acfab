import unittest

from rtms_kinesis import FrameDecoder, Gap, Gaps, Source

from .encode import event, media

AUDIO = Source("stream-1", 1, "audio", 7)


def gaps_of(numbers, *events):
    gaps = Gaps()
    decoder = FrameDecoder()
    for number in numbers:
        for frame in decoder.decode(media(sequence=number), "stream-1", "1"):
            gaps.add_frame(frame)
    for one in events:
        gaps.add_event(one)
    return gaps.missing()


def told(first, last, cause="buffer_full", sequence=1, count=None):
    data = {"mediaType": "audio", "userId": 7, "fromSequence": first, "toSequence": last, "cause": cause}
    return event(sequence, "gap", data={**data, "count": last - first + 1 if count is None else count})


class GapsTest(unittest.TestCase):
    def test_without_a_gap_event_have_no_cause(self):
        self.assertEqual(gaps_of([1, 2, 5]), [Gap(AUDIO, 3, 4, None)])

    def test_are_cut_where_the_cause_changes(self):
        found = gaps_of([1, 9], told(3, 4), told(6, 7, "spool_full", 2))
        self.assertEqual(
            [(gap.first, gap.last, gap.cause) for gap in found],
            [(2, 2, None), (3, 4, "buffer_full"), (5, 5, None), (6, 7, "spool_full"), (8, 8, None)],
        )

    def test_behind_the_last_frame_are_known_from_the_ledger(self):
        row = {"mediaType": "audio", "userId": 7, "received": 4, "written": 2, "lost": 2}
        ended = event(1, "session_ended", data={"ledger": [row, {"mediaType": "chat", "received": 9}]})
        self.assertEqual(gaps_of([1, 2], ended), [Gap(AUDIO, 3, 4, None)])

    def test_of_frames_that_came_all_the_same_are_none(self):
        self.assertEqual(gaps_of([1, 2, 3], told(2, 2)), [])
        self.assertEqual(gaps_of([1, 2], told(3, 2, "not_received", count=0)), [])

    def test_of_lines_are_told_too(self):
        lines = Source("stream-1", 1, "lines", None)
        self.assertEqual(gaps_of([], event(1), event(4)), [Gap(lines, 2, 3, None)])
