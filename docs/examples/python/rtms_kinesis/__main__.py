"""Prints a stream as JSON lines: `python -m rtms_kinesis media STREAM` or `… events STREAM`.

A frame has its fields and, in the place of its payload, how many bytes it has and their SHA-256.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import sys
from collections.abc import Iterator
from typing import Any

import boto3

from .errors import BadRecord, ReadError
from .reader import Reader


def main() -> int:
    """Exit code 1: there were damaged records; 3: reading ended with an error."""
    parser = argparse.ArgumentParser(description="Prints a stream of rtms-kinesis as JSON lines.")
    parser.add_argument("kind", choices=["media", "events"])
    parser.add_argument("stream", help="name of the Kinesis stream")
    parser.add_argument("--endpoint-url", help="another endpoint than AWS's, for local servers")
    parser.add_argument("--start-at", choices=["TRIM_HORIZON", "LATEST"], default="TRIM_HORIZON")
    parser.add_argument("--stop-at-tip", action="store_true", help="end when everything written so far is read")
    options = parser.parse_args()
    bad: list[BadRecord] = []

    def on_bad_record(error: BadRecord) -> None:
        bad.append(error)
        print(error, file=sys.stderr)

    client: Any = boto3.client("kinesis", endpoint_url=options.endpoint_url)
    reader = Reader(
        client,
        options.stream,
        start_at=options.start_at,
        stop_at_tip=options.stop_at_tip,
        on_bad_record=on_bad_record,
        on_retry=lambda error, _: print(error, file=sys.stderr),
    )
    try:
        for line in _frames(reader) if options.kind == "media" else reader.events():
            print(json.dumps(line, ensure_ascii=False), flush=True)
    except ReadError as error:
        print(error, file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130
    return 1 if bad else 0


def _frames(reader: Reader) -> Iterator[dict[str, Any]]:
    for frame in reader.frames():
        # Field by field: `dataclasses.asdict` would copy each payload.
        line = {field.name: getattr(frame, field.name) for field in dataclasses.fields(frame)}
        payload = line.pop("payload")
        yield {**line, "bytes": len(payload), "sha256": hashlib.sha256(payload).hexdigest()}


if __name__ == "__main__":
    sys.exit(main())
