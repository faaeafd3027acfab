"""Which frames and lines are missing, and which `gap` event says why."""

from __future__ import annotations

from typing import Any, NamedTuple, Union

from .events import Event, name_of
from .fence import SequenceRanges
from .frames import Frame


class Source(NamedTuple):
    """What counts on its own: one media type of one participant or channel, in one epoch of one stream."""

    rtms_stream_id: str
    epoch: int
    media_type: str
    who: Union[int, str, None]
    """User id, channel id, or None for the lines of the `events` stream, whose media type here is `lines`."""


class Gap(NamedTuple):
    source: Source
    first: int
    last: int
    cause: str | None
    """Of the `gap` event that names it; None when no event does."""


class Gaps:
    """Collects what was read, and tells what is not there. Memory grows with sources and gaps, not with frames.

    It knows frames that are missing between others, and those behind the last one where the epoch's ledger came. Lines
    have no ledger of their own numbers, so of them only what is missing between others. It gives no verdict: blind times
    and lost owners are what `rtms verify` judges.
    """

    def __init__(self) -> None:
        self._seen: dict[Source, SequenceRanges] = {}
        self._received: dict[Source, int] = {}
        self._causes: list[tuple[Source, int, int, str]] = []

    def add_frame(self, frame: Frame) -> None:
        who = frame.channel_id if frame.user_id is None else frame.user_id
        source = Source(frame.rtms_stream_id, frame.epoch, frame.media_type, who)
        self._ranges(source).add(frame.sequence)

    def add_event(self, event: Event) -> None:
        stream, epoch, data = event["subject"], event["epoch"], event["data"]
        self._ranges(Source(stream, epoch, "lines", None)).add(event["sequence"])
        if name_of(event) == "gap" and data.get("count", 0) > 0:
            source = Source(stream, epoch, _media_type(data), _who(data))
            self._causes.append((source, data["fromSequence"], data["toSequence"], data["cause"]))
        for row in data.get("ledger", []):
            source = Source(stream, epoch, _media_type(row), _who(row))
            if source.media_type != "lines":
                self._ranges(source)
                self._received[source] = row["received"]

    def missing(self) -> list[Gap]:
        """One entry for each range of numbers that is missing, cut where the cause changes."""
        return [
            gap
            for source, seen in self._seen.items()
            for first, last in seen.missing(max(seen.last, self._received.get(source, 0)))
            for gap in self._explain(source, first, last)
        ]

    def _explain(self, source: Source, first: int, last: int) -> list[Gap]:
        found: list[Gap] = []
        for start, end, cause in sorted(one[1:] for one in self._causes if one[0] == source):
            start, end = max(start, first), min(end, last)
            if start > end:
                continue
            if start > first:
                found.append(Gap(source, first, start - 1, None))
            found.append(Gap(source, start, end, cause))
            first = end + 1
        return [*found, Gap(source, first, last, None)] if first <= last else found

    def _ranges(self, source: Source) -> SequenceRanges:
        return self._seen.setdefault(source, SequenceRanges())


def _media_type(row: dict[str, Any]) -> str:
    name = str(row["mediaType"])
    return name if name in ("audio", "video", "deskshare") else "lines"


def _who(row: dict[str, Any]) -> int | str | None:
    who: int | str | None = row.get("userId", row.get("channelId"))
    return who if _media_type(row) != "lines" else None
