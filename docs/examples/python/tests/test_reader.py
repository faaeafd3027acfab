import threading
import unittest
from datetime import datetime, timezone

from rtms_kinesis import SHARD_END, ReadError, Reader

from .encode import aggregate, media
from .model_kinesis import ManualClock, ModelKinesis


class Store:
    def __init__(self):
        self.saved = {}
        self.history = []

    def load(self, shard_id):
        return self.saved.get(shard_id)

    def save(self, shard_id, position, seen):
        self.saved[shard_id] = (position, seen)
        self.history.append((shard_id, position))


class WithModel(unittest.TestCase):
    def setUp(self):
        self.clock = ManualClock()
        self.kinesis = ModelKinesis(self.clock)

    def reader(self, **options):
        return Reader(self.kinesis, "media", clock=self.clock, **{"stop_at_tip": True, **options})

    def read(self, **options):
        return [frame.sequence for frame in self.reader(**options).frames()]

    def put(self, *numbers, **where):
        return [self.kinesis.put(media(sequence=number), **where) for number in numbers]


class Reading(WithModel):
    def test_reads_a_shard_within_five_calls_a_second(self):
        self.put(*range(1, 20))
        self.assertEqual(self.read(), list(range(1, 20)))
        calls = self.kinesis.calls["s-0"]
        self.assertEqual(len(calls), 10)
        self.assertGreater(min(b - a for a, b in zip(calls, calls[1:])), 0.2)

    def test_reads_parents_before_their_children(self):
        self.put(1, 2, 3)
        self.kinesis.split("s-0", "s-1", "s-2")
        self.put(4, 5, shard="s-2")
        self.kinesis.split("s-2", "s-3")
        self.put(6, shard="s-3")
        self.assertEqual(self.read(), [1, 2, 3, 4, 5, 6])

    def test_follows_a_split_that_comes_while_it_reads_the_newest(self):
        stop = threading.Event()
        # The split falls together with records that are written right before it.
        steps = [lambda: self.put(2), lambda: (self.put(3), self.kinesis.split("s-0", "s-1"), self.put(4, shard="s-1"))]
        self.put(1)
        self.clock.each_sleep = lambda: steps.pop(0)() if steps and self.kinesis.calls["s-0"] else None
        found = []
        for frame in self.reader(stop_at_tip=False, stop=stop, start_at="LATEST").frames():
            found.append(frame.sequence)
            if frame.sequence == 4:
                stop.set()
        self.assertEqual(found, [2, 3, 4])

    def test_makes_an_expired_iterator_anew_without_loss_or_repeat(self):
        self.put(*range(1, 8))
        seen = []
        for frame in self.reader(on_retry=lambda error, attempt: None).frames():
            seen.append(frame.sequence)
            if frame.sequence in (2, 5):
                self.kinesis.expire_iterators = 1
        self.assertEqual(seen, list(range(1, 8)))

    def test_waits_longer_each_time_it_is_throttled(self):
        self.put(1)
        self.kinesis.refusals = ["ProvisionedThroughputExceededException"] * 4
        attempts = []
        self.assertEqual(self.read(on_retry=lambda error, attempt: attempts.append((error.code, attempt))), [1])
        self.assertEqual(attempts, [("kinesis/read-failed", n) for n in (1, 2, 3, 4)])
        calls = self.kinesis.calls["s-0"]
        self.assertEqual([round(b - a, 2) for a, b in zip(calls, calls[1:])], [0.21, 0.42, 0.84, 1.68])

    def test_ends_with_what_does_not_pass(self):
        cases = [
            (["ResourceNotFoundException"], "kinesis/stream-missing"),
            (["AccessDeniedException"], "kinesis/access-denied"),
            (["ValidationException"], "kinesis/read-refused"),
            (["InternalFailure"] * 100, "kinesis/read-failed"),
        ]
        for refusals, code in cases:
            self.kinesis.refusals = list(refusals)
            with self.assertRaisesRegex(ReadError, code):
                self.read()

    def test_refuses_options_that_make_no_sense(self):
        for options in ({"start_at": "OLDEST"}, {"start_at": datetime(2026, 1, 1)}, {"max_calls_per_second": 6}):
            with self.assertRaisesRegex(ReadError, "config/invalid"):
                self.reader(**options)
        self.assertEqual(self.read(start_at=datetime(2026, 1, 1, tzinfo=timezone.utc)), [])


class Checkpoints(WithModel):
    def test_stand_behind_what_was_taken(self):
        numbers = self.put(1, 2, 3)
        store = Store()
        for frame in self.reader(checkpoints=store).frames():
            if frame.sequence == 2:
                break
        self.assertEqual(store.saved["s-0"][0], numbers[0])
        self.assertEqual(self.read(checkpoints=store), [2, 3])
        self.assertEqual(self.read(checkpoints=store), [])

    def test_in_the_middle_of_a_record_repeat_nothing_that_was_taken(self):
        store = Store()
        found = []
        self.put(1)
        for numbers in ((2, 3, 4), (5, 6), (7, 8, 9)):
            self.kinesis.put(aggregate([media(sequence=number) for number in numbers]))
        is_done = False
        while not is_done:
            is_done, until = True, len(found) + 2
            for frame in self.reader(checkpoints=store).frames():
                if len(found) == until:
                    is_done = False
                    break
                found.append(frame.sequence)
        self.assertEqual(found, list(range(1, 10)))

    def test_are_none_before_the_first_record_is_done(self):
        self.kinesis.put(aggregate([media(sequence=number) for number in (1, 2)]))
        store = Store()
        for frame in self.reader(checkpoints=store).frames():
            if frame.sequence == 2:
                break
        self.assertEqual(self.read(checkpoints=store), [1, 2])

    def test_wait_for_the_chunks_of_a_frame(self):
        (first,) = self.put(1)
        chunks = [media(sequence=2, payload=b"ab", chunk_index=n, chunk_count=2) for n in (0, 1)]
        self.kinesis.put(chunks[0])
        self.kinesis.put(media(sequence=1, user_id=8))
        store = Store()
        for frame in self.reader(checkpoints=store).frames():
            if frame.user_id == 8:
                break
        self.assertEqual(store.saved["s-0"][0], first)
        last = self.kinesis.put(chunks[1])
        found = [(frame.user_id, frame.payload[:4]) for frame in self.reader(checkpoints=store).frames()]
        self.assertEqual(found, [(8, b"\1\1\1\1"), (7, b"abab")])
        self.assertEqual(store.saved["s-0"][0], last)

    def test_of_shards_wait_for_a_frame_whose_chunks_lie_on_both_sides_of_a_split(self):
        chunks = [media(payload=bytes([97 + n]), chunk_index=n, chunk_count=3) for n in range(3)]
        self.kinesis.put(chunks[0])
        self.kinesis.split("s-0", "s-1")
        self.kinesis.put(chunks[1], shard="s-1")
        self.kinesis.put(media(user_id=8), shard="s-1")
        store = Store()
        for frame in self.reader(checkpoints=store).frames():
            break
        self.assertEqual(store.saved, {})
        last = self.kinesis.put(chunks[2], shard="s-1")
        payloads = [frame.payload for frame in self.reader(checkpoints=store).frames() if frame.user_id == 7]
        self.assertEqual(payloads, [b"abc"])
        self.assertEqual({shard: saved[0] for shard, saved in store.saved.items()}, {"s-0": SHARD_END, "s-1": last})

    def test_tell_when_records_have_expired_unread(self):
        self.put(1, 2)
        store = Store()
        self.assertEqual(self.read(checkpoints=store), [1, 2])
        self.put(3, 4)
        self.kinesis.trimmed["s-0"] = 3
        with self.assertRaisesRegex(ReadError, "kinesis/trimmed"):
            self.read(checkpoints=store)
        told = []
        self.assertEqual(self.read(checkpoints=store, on_trimmed=lambda *what: told.append(what)), [4])
        self.assertEqual(told, [("s-0", "00000000000000000002")])

    def test_make_a_reader_of_the_newest_read_the_children_of_its_shards_whole(self):
        self.put(1)
        store = Store()
        self.assertEqual(self.read(checkpoints=store), [1])
        self.put(2)
        self.kinesis.split("s-0", "s-1")
        self.put(3, shard="s-1")
        self.assertEqual(self.read(checkpoints=store, start_at="LATEST"), [2, 3])
