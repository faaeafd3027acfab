"""Reads a Kinesis stream with boto3: all shards, parents before children, within the five calls a second of a shard."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from threading import Event as StopSignal
from typing import Any, Callable, TypeVar

from .beginnings import Beginnings
from .calls import KinesisClient, is_expired_iterator, list_shards, read_error
from .checkpoints import CheckpointStore, Marks
from .cursor import Cursor, Page
from .errors import BadRecord, ReadError
from .events import Event, EventDecoder
from .fence import Mark
from .frames import Frame, FrameDecoder
from .shards import Shard, StartAt

# Added to the pause between calls, so that jitter of the network does not bring a sixth call into a second.
_CALL_MARGIN_SECONDS = 0.01
_FIRST_RETRY_SECONDS = 0.21
_MAX_PAUSE_SECONDS = 5.0
# How long a call may fail for passing reasons before the reader ends.
_MAX_OUTAGE_SECONDS = 60.0
# Within a page a position is saved this seldom, because a save may cost a call to a paid store.
_SAVE_EVERY_SECONDS = 1.0
_STOP_POLL_SECONDS = 0.2
_MAX_THREADS = 16

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Clock:
    """Tests bring their own."""

    def monotonic(self) -> float:
        return time.monotonic()

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float, stop: StopSignal) -> None:
        stop.wait(seconds)


class Reader:
    """Reads one of the two streams from where its checkpoints stand, or from `start_at`.

    client: `boto3.client("kinesis")`.
    start_at: `TRIM_HORIZON`, `LATEST` or a datetime with a time zone, for shards without a checkpoint.
    checkpoints: `load` and `save` of yours (CheckpointStore). A position stands behind a record of which all items were
        taken and the next one was asked for. It is saved after each page, each second, and when the iteration ends.
    stop_at_tip: end when everything written so far is read.
    stop: a threading.Event that ends the iteration, without an error.
    poll_seconds: pause between two calls per shard at the tip.
    max_calls_per_second: per shard, which all its readers together have five of.
    on_bad_record: told of every foreign or damaged record, which is then skipped. Without it the BadRecord is raised.
    on_retry: told of every failure that may pass, before the next try.
    on_trimmed: told (shard id, position) when the record read last is not kept any more, so that others behind it may be
        gone. Without it ReadError `kinesis/trimmed` is raised.
    on_progress: told (shard id, milliseconds behind the newest record) after every page.
    keep_repeats: hand out repeats and late writers too.
    """

    def __init__(
        self,
        client: KinesisClient,
        stream_name: str,
        *,
        start_at: StartAt = "TRIM_HORIZON",
        checkpoints: CheckpointStore | None = None,
        stop_at_tip: bool = False,
        stop: StopSignal | None = None,
        poll_seconds: float = 0.5,
        max_calls_per_second: float = 5,
        on_bad_record: Callable[[BadRecord], None] | None = None,
        on_retry: Callable[[ReadError, int], None] | None = None,
        on_trimmed: Callable[[str, str], None] | None = None,
        on_progress: Callable[[str, int], None] | None = None,
        keep_repeats: bool = False,
        clock: Clock | None = None,
    ) -> None:
        if isinstance(start_at, datetime) and start_at.tzinfo is None:
            raise ReadError("config/invalid", "start_at has no time zone: it would be taken for local time")
        if not isinstance(start_at, datetime) and start_at not in ("TRIM_HORIZON", "LATEST"):
            raise ReadError("config/invalid", f"start_at is {start_at!r}: TRIM_HORIZON, LATEST or a datetime")
        if not 0 < max_calls_per_second <= 5:
            raise ReadError("config/invalid", f"max_calls_per_second is {max_calls_per_second}: above 0, at most 5")
        self._client = client
        self._stream_name = stream_name
        self._start_at = start_at
        self._checkpoints = checkpoints
        self._stop_at_tip = stop_at_tip
        self._stop = stop or StopSignal()
        self._call_seconds = 1 / max_calls_per_second + _CALL_MARGIN_SECONDS
        self._poll_seconds = max(poll_seconds, self._call_seconds)
        self._on_bad_record = on_bad_record
        self._on_retry = on_retry
        self._on_trimmed = on_trimmed
        self._on_progress = on_progress
        self._keep_repeats = keep_repeats
        self._clock = clock or Clock()
        self._has_answered = False

    def frames(self) -> Iterator[Frame]:
        """Whole frames of the `media` stream. Per partition key the order is exact."""
        decoder = FrameDecoder(self._on_bad_record, self._keep_repeats)
        for frame, _ in self._items(decoder, lambda *record: ((frame, frame.mark) for frame in decoder.decode(*record))):
            yield frame

    def events(self) -> Iterator[Event]:
        """Events of the `events` stream."""
        decoder = EventDecoder(self._on_bad_record, self._keep_repeats)
        for event, _ in self._items(decoder, decoder.decode):
            yield event

    def _items(
        self,
        decoder: FrameDecoder | EventDecoder,
        decode: Callable[[bytes, str, str, str], Iterator[tuple[Item, Mark]]],
    ) -> Iterator[tuple[Item, Mark]]:
        cursors: dict[str, Cursor] = {}
        try:
            for page in self._pages(decoder, cursors):
                cursor = page.cursor
                shard_id = cursor.shard.shard_id
                for record in page.records:
                    number = record["SequenceNumber"]
                    for item in decode(record["Data"], record["PartitionKey"], number, shard_id):
                        yield item
                        cursor.taken(item[1])
                    if not decoder.is_waiting_in(shard_id):
                        cursor.processed(number)
                    if self._clock.monotonic() - cursor.saved_at >= _SAVE_EVERY_SECONDS:
                        self._save(cursor)
                cursor.has_ended = page.is_end
                for one in cursors.values():
                    one.end_if(decoder.is_waiting_in(one.shard.shard_id))
                    self._save(one)
            if not self._stop.is_set():
                decoder.finish()
                for one in cursors.values():
                    one.end_if(False)
        finally:
            for one in cursors.values():
                self._save(one, is_last=True)

    def _save(self, cursor: Cursor, is_last: bool = False) -> None:
        position = cursor.to_save(is_last)
        if position is None or self._checkpoints is None:
            return
        cursor.saved_at = self._clock.monotonic()
        self._checkpoints.save(cursor.shard.shard_id, position, cursor.marks.text())

    def _pages(self, decoder: FrameDecoder | EventDecoder, cursors: dict[str, Cursor]) -> Iterator[Page]:
        """Pages of all shards as they come. A shard is asked for its next page when the last one was taken."""
        begin = Beginnings(self._load, self._start_at, self._trimmed)
        finished: set[str] = set()
        idle: list[Cursor] = []
        running: dict[Future[Any], Cursor] = {}

        def begin_shards(is_start: bool) -> None:
            listed = self._call(lambda: list_shards(self._client, self._stream_name))
            shards = {shard.shard_id: shard for shard in map(Shard.of, listed)}
            for shard, position, saved in begin.of(shards, set(cursors), finished, is_start):
                marks = Marks(saved)
                decoder.restore(marks.list())
                cursors[shard.shard_id] = Cursor(shard, position, marks, self._clock.time())
                idle.append(cursors[shard.shard_id])

        pool = ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="rtms-kinesis")
        try:
            begin_shards(True)
            while (idle or running) and not self._stop.is_set():
                self._start_due(pool, idle, running)
                for cursor, answer in self._answered(idle, running):
                    page = cursor.page_of(answer, self._clock.time())
                    if cursor.trimmed_at is not None:
                        self._trimmed(cursor.shard.shard_id, cursor.trimmed_at)
                        cursor.trimmed_at = None
                    if self._on_progress is not None:
                        self._on_progress(cursor.shard.shard_id, page.millis_behind_latest)
                    yield page
                    if page.is_end:
                        finished.add(cursor.shard.shard_id)
                        begin_shards(False)
                    else:
                        self._plan(cursor, page, idle)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _start_due(self, pool: ThreadPoolExecutor, idle: list[Cursor], running: dict[Future[Any], Cursor]) -> None:
        now = self._clock.monotonic()
        for cursor in [one for one in idle if one.due_at <= now]:
            idle.remove(cursor)
            cursor.due_at = now
            running[pool.submit(cursor.fetch, self._client, self._stream_name)] = cursor

    def _answered(self, idle: list[Cursor], running: dict[Future[Any], Cursor]) -> list[tuple[Cursor, Any]]:
        """Waits until a call is answered or a shard may be asked again. Failed calls are planned once more."""
        next_at = min((cursor.due_at for cursor in idle), default=float("inf"))
        seconds = min(max(next_at - self._clock.monotonic(), 0.0), _STOP_POLL_SECONDS)
        if not running:
            self._clock.sleep(seconds, self._stop)
            return []
        done, _ = wait(running, timeout=seconds, return_when=FIRST_COMPLETED)
        answers: list[tuple[Cursor, Any]] = []
        for future in done:
            cursor = running.pop(future)
            error = future.exception()
            if error is None:
                self._has_answered, cursor.failing_since, cursor.attempts = True, None, 0
                answers.append((cursor, future.result()))
                continue
            if is_expired_iterator(error):
                cursor.renew(self._clock.time())
            now = self._clock.monotonic()
            cursor.failing_since = now if cursor.failing_since is None else cursor.failing_since
            cursor.attempts += 1
            cursor.due_at = now + self._pause_after(error, cursor.attempts, now - cursor.failing_since)
            idle.append(cursor)
        return answers

    def _plan(self, cursor: Cursor, page: Page, idle: list[Cursor]) -> None:
        is_closed = cursor.shard.is_closed
        is_at_tip = page.millis_behind_latest == 0
        # A closed shard may be at its tip one page before its end, and its children are read only behind its end.
        if is_at_tip and self._stop_at_tip and not is_closed:
            return
        cursor.due_at += self._poll_seconds if is_at_tip and not is_closed else self._call_seconds
        idle.append(cursor)

    def _call(self, call: Callable[[], Answer]) -> Answer:
        """Repeats a call that failed for a passing reason, with growing pauses."""
        failing_since = self._clock.monotonic()
        attempt = 0
        while True:
            try:
                answer = call()
            except Exception as error:
                attempt += 1
                pause = self._pause_after(error, attempt, self._clock.monotonic() - failing_since)
                self._clock.sleep(pause, self._stop)
            else:
                self._has_answered = True
                return answer

    def _pause_after(self, error: BaseException, attempt: int, failing_seconds: float) -> float:
        """Raises ReadError for what does not pass, and for what has not passed in a minute."""
        found = read_error(error, self._stream_name, self._has_answered)
        if found.code != "kinesis/read-failed" or failing_seconds > _MAX_OUTAGE_SECONDS or self._stop.is_set():
            raise found from error
        if self._on_retry is not None:
            self._on_retry(found, attempt)
        return float(min(_FIRST_RETRY_SECONDS * 2 ** (attempt - 1), _MAX_PAUSE_SECONDS))

    def _load(self, shard_id: str) -> tuple[str, str] | None:
        return None if self._checkpoints is None else self._checkpoints.load(shard_id)

    def _trimmed(self, shard_id: str, position: str) -> None:
        if self._on_trimmed is not None:
            self._on_trimmed(shard_id, position)
            return
        raise ReadError(
            "kinesis/trimmed",
            f"the record read last of {shard_id} in {self._stream_name} is older than what Kinesis still keeps, so records "
            "behind it may be gone; with on_trimmed the reader goes on with the oldest record kept",
        )
