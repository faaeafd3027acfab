"""Records of the `events` stream become events: the CloudEvents as they stand there, as dicts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Callable, TypedDict, cast

from .aggregates import user_records
from .errors import BadRecord, malformed
from .fence import EpochFence, Mark

_TYPE = re.compile(r"rtms\.([a-z_]+)\.v\d+")
_SOURCE = re.compile(r"/zoom/(meeting|webinar|session|contact_center|phone)/[^/]*")
_DAY = r"[+-]?\d{4,6}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_TIME = re.compile(_DAY + r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_MAX_SAFE = 2**53 - 1
# Lines of all kinds share one numbering, so they are one source for the fence.
_ALL_LINES = 0

_RequiredEvent = TypedDict(
    "_RequiredEvent",
    {
        "specversion": str,
        "id": str,
        "source": str,
        "type": str,
        "subject": str,
        "time": str,
        "epoch": int,
        "sequence": int,
        "data": dict[str, Any],
    },
)


class Event(_RequiredEvent, total=False):
    """One event (docs/records.md). `type` is `rtms.<name>.v1`, `subject` the rtms_stream_id."""

    datacontenttype: str
    recovered: bool


def name_of(event: Event) -> str:
    """`transcript` of `rtms.transcript.v1`."""
    return event["type"].split(".")[1]


class EventDecoder:
    """Splits records into lines, checks each line's attributes, drops repeats and late writers.

    What is in `data` is not checked. One decoder must see all records of a partition key, in order. `on_bad_record` is
    told of every line that is none of ours, which is then skipped; without it the BadRecord is raised.
    """

    def __init__(self, on_bad_record: Callable[[BadRecord], None] | None = None, keep_repeats: bool = False) -> None:
        self.counts = {"delivered": 0, "repeated": 0, "fenced": 0, "bad": 0}
        self._on_bad_record = on_bad_record
        self._keep_repeats = keep_repeats
        self._fence = EpochFence()

    def restore(self, marks: list[Mark]) -> None:
        """Drops from now on what an earlier reader has seen, and what was fenced for it."""
        self._fence.restore(marks)

    def is_waiting_in(self, shard_id: str) -> bool:
        return False

    def finish(self) -> None:
        """Does nothing: an event never waits for another record."""

    def decode(
        self, data: bytes, partition_key: str, sequence_number: str, shard_id: str = ""
    ) -> Iterator[tuple[Event, Mark]]:
        """Yields each event of the record, with how a checkpoint remembers it."""
        place = -1
        for key, line in self._lines(data, partition_key, sequence_number):
            place += 1
            try:
                event = parse_event(line)
            except BadRecord as error:
                self._bad(error.at(sequence_number, place))
                continue
            mark: Mark = (key, event["subject"], _ALL_LINES, event["epoch"], event["sequence"])
            admission = self._fence.check(*mark)
            if admission == "admitted":
                self._fence.delivered(*mark[:3], mark[4])
            else:
                self.counts[admission] += 1
                if not self._keep_repeats:
                    continue
            self.counts["delivered"] += 1
            yield event, mark

    def _lines(self, data: bytes, partition_key: str, sequence_number: str) -> list[tuple[str, str]]:
        try:
            parts = user_records(data, partition_key)
        except BadRecord as error:
            self._bad(error.at(sequence_number, 0))
            return []
        # The kit names the key of the Kinesis record in events, which are never aggregated by a runner.
        texts = (data[start:end].decode("utf-8", "replace") for _, start, end in parts)
        return [(partition_key, line) for text in texts for line in text.split("\n") if line.strip()]

    def _bad(self, error: BadRecord) -> None:
        self.counts["bad"] += 1
        if self._on_bad_record is None:
            raise error
        self._on_bad_record(error)


def parse_event(line: str | bytes) -> Event:
    """Raises BadRecord `record/malformed` when the line is not one of our CloudEvents."""
    try:
        event = json.loads(line)
    except ValueError as error:
        raise malformed("event is not JSON") from error
    if not isinstance(event, dict):
        raise malformed("event is not a JSON object")
    is_ours = (
        event.get("specversion") == "1.0"
        and isinstance(event.get("id"), str)
        and isinstance(event.get("subject"), str)
        and event["subject"] != ""
        and _matches(_TYPE, event.get("type"))
        and _matches(_SOURCE, event.get("source"))
        and _matches(_TIME, event.get("time"))
        and _is_count(event.get("epoch"))
        and _is_count(event.get("sequence"))
        and isinstance(event.get("data"), (dict, list))
    )
    if not is_ours:
        raise malformed("not an event of this project")
    return cast(Event, event)


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MAX_SAFE
