"""Errors of this package. Their codes are those of the TypeScript kit (docs/consume.md)."""

from __future__ import annotations


class BadRecord(ValueError):
    """A record, or a part of one, that is foreign or damaged.

    `code` is `record/malformed`, `record/bad-checksum` or `record/bad-index`. `sequence_number` is that of the Kinesis
    record, `sub_sequence_number` the place inside of it, from 0; both are set where the record is known.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"[{code}] {message}")
        self.code = code
        self.sequence_number = ""
        self.sub_sequence_number = 0

    def at(self, sequence_number: str, sub_sequence_number: int) -> BadRecord:
        """Says which Kinesis record it is about."""
        self.sequence_number = sequence_number
        self.sub_sequence_number = sub_sequence_number
        self.args = (f"{self.args[0]} (sequence number {sequence_number}, part {sub_sequence_number})",)
        return self


class ReadError(RuntimeError):
    """Reading cannot go on.

    `code` is `config/invalid`, `kinesis/stream-missing`, `kinesis/access-denied`, `kinesis/trimmed`,
    `kinesis/read-refused` or, for what has not passed in a minute, `kinesis/read-failed`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"[{code}] {message}")
        self.code = code


def malformed(message: str) -> BadRecord:
    return BadRecord("record/malformed", message)
