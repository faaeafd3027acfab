"""Which shards begin now, and where: the rules of shards.py over the checkpoints of one reader."""

from __future__ import annotations

from typing import Callable

from .shards import SHARD_END, Position, Shard, StartAt, ancestors, first_position, shards_to_begin


class Beginnings:
    """Decides which shards begin now, and where. Checkpoints are taken as they were when the reader began."""

    def __init__(
        self,
        load: Callable[[str], tuple[str, str] | None],
        start_at: StartAt,
        trimmed: Callable[[str, str], None],
    ) -> None:
        self._load = load
        self._start_at = start_at
        self._trimmed = trimmed
        self._saved: dict[str, tuple[str, str] | None] = {}

    def of(
        self, shards: dict[str, Shard], begun: set[str], finished: set[str], is_start: bool
    ) -> list[tuple[Shard, Position, str]]:
        """Returns (shard, position, text of its marks). Shards that need not be read become finished."""
        if is_start:
            self._tell_expired(shards)
        positions: dict[str, tuple[Position, str]] = {}
        for shard in shards.values():
            if shard.shard_id in begun | finished:
                continue
            saved = self._saved_of(shard.shard_id)
            is_new = not is_start or (saved is None and self._is_continued(shard, shards))
            position = first_position(shard, saved and saved[0], self._start_at, is_new)
            if position is None:
                finished.add(shard.shard_id)
            else:
                positions[shard.shard_id] = (position, saved[1] if saved else "")
        return [(shard, *positions[shard.shard_id]) for shard in shards_to_begin(shards, begun, finished)]

    def _saved_of(self, shard_id: str) -> tuple[str, str] | None:
        if shard_id not in self._saved:
            self._saved[shard_id] = self._load(shard_id)
        return self._saved[shard_id]

    def _is_continued(self, shard: Shard, shards: dict[str, Shard]) -> bool:
        """Whether a reader with these checkpoints was at work before the shard began, so that it has to read all of it."""
        return any(self._saved_of(shard_id) is not None for shard_id in ancestors(shard, shards))

    def _tell_expired(self, shards: dict[str, Shard]) -> None:
        """Of shards that expired before they were read to their end, unless a reader went on in their children."""
        for parent in {parent for shard in shards.values() for parent in shard.parents} - set(shards):
            saved = self._saved_of(parent)
            children = [shard.shard_id for shard in shards.values() if parent in shard.parents]
            if saved and saved[0] != SHARD_END and not any(self._saved_of(child) for child in children):
                self._trimmed(parent, saved[0])
