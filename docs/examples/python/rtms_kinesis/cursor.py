"""One shard as it is being read: where it stands, when it may be asked again, what of it is processed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from .calls import KinesisClient, error_name
from .checkpoints import Marks
from .fence import Mark
from .shards import SHARD_END, Behind, Position, Shard, iterator_arguments

# Kinesis refuses a time that is in the future on its own clock, which may be behind ours: a little, or rarely by more.
_CLOCK_MARGIN_SECONDS = 1
_MAX_CLOCK_SKEW = timedelta(minutes=15)
# A reader nearer to the newest record has missed none: Kinesis keeps records for 24 h at least. An hour is for clocks.
_TRIM_RISK_SECONDS = 23 * 3600


@dataclass
class Page:
    """The new records of one GetRecords call, as boto3 gives them."""

    cursor: Cursor
    records: list[dict[str, Any]]
    is_end: bool
    """The shard has ended: no record of it will come any more."""
    millis_behind_latest: int


class Cursor:
    def __init__(self, shard: Shard, position: Position, marks: Marks, now: float) -> None:
        self.shard = shard
        self.due_at = 0.0
        """When the next call may be made, on the monotonic clock."""
        self.failing_since: float | None = None
        self.attempts = 0
        self.marks = marks
        self.unsaved: str | None = None
        """Processed and not saved yet."""
        self.done = _record_of(position)
        """The position processed last, saved or not."""
        self.saved_at = 0.0
        self.has_ended = False
        self.trimmed_at: str | None = None
        """A record that is not kept any more although others behind it may have been unread."""
        self._position = position
        self._is_from_latest = position == "LATEST"
        self._has_new_marks = False
        self._iterator: str | None = None
        self._expected = _record_of(position)
        self._may_be_trimmed = True
        self._behind_seconds = 0.0
        self._answered_at = now

    def fetch(self, client: KinesisClient, stream_name: str) -> Any:
        """Makes the calls for the next page. It runs in a thread of the pool, one at a time for each shard."""
        if self._iterator is None:
            self._iterator = self._new_iterator(client, {"StreamName": stream_name, "ShardId": self.shard.shard_id})
        if self._position == "LATEST":
            # An iterator for the newest record may expire before there is one. The next one must not skip what came since.
            self._position = _before(self._answered_at)
        return client.get_records(ShardIterator=self._iterator)

    def renew(self, now: float) -> None:
        """The iterator has expired, which it does after five minutes: the next call makes another one."""
        self._iterator = None
        if self._expected is None:
            self._expected = _record_of(self._position)
            self._may_be_trimmed = self._behind_seconds + now - self._answered_at >= _TRIM_RISK_SECONDS

    def page_of(self, answer: Any, now: float) -> Page:
        """Moves on behind what came. `now` is Unix time in seconds."""
        records = list(answer["Records"])
        self._iterator = answer.get("NextShardIterator")
        if self._expected is not None and records:
            if records[0]["SequenceNumber"] == self._expected:
                del records[0]
            elif self._may_be_trimmed:
                self.trimmed_at = self._expected
            self._expected = None
        if records:
            self._position = Behind(records[-1]["SequenceNumber"])
        elif self._is_from_latest and isinstance(self._position, datetime):
            self._position = _before(self._answered_at)
        self._answered_at = now
        behind_ms = int(answer.get("MillisBehindLatest") or 0)
        self._behind_seconds = behind_ms / 1000
        is_end = self._iterator is None
        if is_end and self._expected is not None:
            # The shard ended before its record of the checkpoint, or any behind it, came.
            self.trimmed_at, self._expected = self._expected, None
        return Page(self, records, is_end, behind_ms)

    def processed(self, position: str) -> None:
        self.unsaved = self.done = position

    def taken(self, mark: Mark) -> None:
        """One item of a record was processed. Behind a saved position, its mark is what makes it known after a restart."""
        self.marks.add(mark)
        self._has_new_marks = True

    def to_save(self, is_last: bool) -> str | None:
        """The position to save now, if any. The last time also one that was saved already, when there are marks behind it."""
        position, self.unsaved = self.unsaved, None
        if position is None and is_last and self._has_new_marks:
            position = self.done
        if position is not None:
            self._has_new_marks = False
        return position

    def end_if(self, is_waiting: bool) -> None:
        """A shard that has ended is processed when no frame of it waits for chunks in its children."""
        if self.has_ended and not is_waiting:
            self.has_ended = False
            self.processed(SHARD_END)

    def _new_iterator(self, client: KinesisClient, where: dict[str, str]) -> str:
        position = self._position
        try:
            answer = client.get_shard_iterator(**where, **iterator_arguments(position))
        except Exception as error:
            is_renewal = self._is_from_latest and isinstance(position, datetime)
            if not is_renewal or error_name(error) != "InvalidArgumentException":
                raise
            assert isinstance(position, datetime)
            answer = client.get_shard_iterator(**where, **iterator_arguments(position - _MAX_CLOCK_SKEW))
        return str(answer["ShardIterator"])


def _record_of(position: Position) -> str | None:
    return position.sequence_number if isinstance(position, Behind) else None


def _before(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds - _CLOCK_MARGIN_SECONDS, timezone.utc)
