"""Reads a stream with the installed package, and stops after every few frames: the next reader goes on at the checkpoints.

    restarts.py ENDPOINT MEDIA_STREAM EVENTS_STREAM FRAMES_EACH

Prints one JSON object: how many readers there were, what they handed out, calls that were repeated, and what is missing.
"""

import json
import sys

import boto3
from botocore.config import Config
from rtms_kinesis import Gaps, Reader


class Store:
    def __init__(self):
        self.saved = {}

    def load(self, shard_id):
        return self.saved.get(shard_id)

    def save(self, shard_id, position, seen):
        self.saved[shard_id] = (position, seen)


def main():
    endpoint, media, events, each = sys.argv[1:]
    # Without botocore's own retries, so that those of the package are what is seen.
    config = Config(retries={"total_max_attempts": 1})
    client = boto3.client("kinesis", endpoint_url=endpoint, config=config)
    store, gaps, retries, frames = Store(), Gaps(), [], []
    readers, is_done = 0, False
    while not is_done:
        readers += 1
        is_done = True
        until = len(frames) + int(each)
        on_retry = lambda error, attempt: retries.append(str(error))  # noqa: E731
        for frame in Reader(client, media, checkpoints=store, stop_at_tip=True, on_retry=on_retry).frames():
            # The frame at which a reader is stopped was not taken, so the next one hands it out.
            if len(frames) == until:
                is_done = False
                break
            gaps.add_frame(frame)
            who = frame.channel_id if frame.user_id is None else frame.user_id
            frames.append(f"{frame.epoch}/{frame.media_type}/{who}/{frame.sequence}")
    for event in Reader(client, events, stop_at_tip=True).events():
        gaps.add_event(event)
    missing = [
        f"{gap.source.epoch}/{gap.source.media_type}/{gap.source.who}/{number}"
        for gap in gaps.missing()
        if gap.source.media_type != "lines"
        for number in range(gap.first, gap.last + 1)
    ]
    print(json.dumps({"readers": readers, "frames": frames, "retries": len(retries), "missing": missing}))


main()
