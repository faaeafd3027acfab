"""The order in which shards are read, and where each begins. The TypeScript kit has the same rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Union

SHARD_END = "SHARD_END"
"""The position of a shard that was read to its end."""

StartAt = Union[Literal["TRIM_HORIZON", "LATEST"], datetime]


@dataclass(frozen=True)
class Behind:
    """Behind a record that was read. Kinesis must still have it: otherwise others may be gone too."""

    sequence_number: str


Position = Union[StartAt, Behind]


@dataclass(frozen=True)
class Shard:
    shard_id: str
    parents: tuple[str, ...]
    is_closed: bool
    """It takes no new records."""

    @staticmethod
    def of(listed: Mapping[str, Any]) -> Shard:
        """As boto3's `list_shards` gives it."""
        parents = (listed.get("ParentShardId"), listed.get("AdjacentParentShardId"))
        return Shard(
            shard_id=listed["ShardId"],
            parents=tuple(parent for parent in parents if parent),
            is_closed="EndingSequenceNumber" in listed["SequenceNumberRange"],
        )


def first_position(shard: Shard, saved: str | None, start_at: StartAt, is_new: bool) -> Position | None:
    """Where to begin a shard, or None when it need not be read.

    `is_new`: the shard began after this reader, or one with the same checkpoints, so that all of it must be read.
    """
    # An open shard cannot have been read to its end: such a checkpoint is left from an earlier stream of the same name.
    if saved == SHARD_END and shard.is_closed:
        return None
    if saved is not None and saved != SHARD_END:
        return Behind(saved)
    if is_new:
        return "TRIM_HORIZON"
    return None if start_at == "LATEST" and shard.is_closed else start_at


def ancestors(shard: Shard, listed: Mapping[str, Shard]) -> set[str]:
    """The parents of a shard and theirs, as far as they are listed, and the oldest ones' parents."""
    found: set[str] = set()
    waiting = [shard]
    while waiting:
        for parent in waiting.pop().parents:
            found.add(parent)
            if parent in listed:
                waiting.append(listed[parent])
    return found


def shards_to_begin(listed: Mapping[str, Shard], begun: set[str], finished: set[str]) -> list[Shard]:
    """A shard waits until every parent that still exists was read to its end: a partition key keeps its order."""
    return [
        shard
        for shard in listed.values()
        if shard.shard_id not in begun | finished
        and all(parent in finished or parent not in listed for parent in shard.parents)
    ]


def iterator_arguments(position: Position) -> dict[str, Any]:
    """Arguments of `get_shard_iterator`."""
    if isinstance(position, Behind):
        # The record itself comes first then, and proves that nothing behind it has expired.
        return {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": position.sequence_number}
    if isinstance(position, datetime):
        return {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": position}
    return {"ShardIteratorType": position}
