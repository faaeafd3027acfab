"""Reads the two Kinesis streams of rtms-kinesis: media frames and events of Zoom Realtime Media Streams."""

from .checkpoints import CheckpointStore
from .errors import BadRecord, ReadError
from .events import Event, EventDecoder, name_of, parse_event
from .frames import Frame, FrameDecoder
from .gaps import Gap, Gaps, Source
from .reader import Reader
from .shards import SHARD_END

__all__ = [
    "SHARD_END",
    "BadRecord",
    "CheckpointStore",
    "Event",
    "EventDecoder",
    "Frame",
    "FrameDecoder",
    "Gap",
    "Gaps",
    "ReadError",
    "Reader",
    "Source",
    "name_of",
    "parse_event",
]
