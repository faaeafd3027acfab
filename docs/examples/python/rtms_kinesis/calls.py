"""Calls of the Kinesis API, and what a failed one means."""

from __future__ import annotations

from typing import Any, Protocol

from .errors import ReadError

# They pass by themselves: the service is busy or broken. From the references of GetRecords, GetShardIterator, ListShards.
_PASSING = {
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "KMSThrottlingException",
    "ThrottlingException",
    "InternalFailure",
    "InternalFailureException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "RequestTimeout",
}
_ACCESS = {
    "AccessDeniedException",
    "KMSAccessDeniedException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "ExpiredTokenException",
    "NoCredentialsError",
}
# Of botocore, without an answer. Before the first answer it is most likely the wrong endpoint.
_UNANSWERED = {
    "EndpointConnectionError",
    "ConnectionClosedError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "HTTPClientError",
    "ResponseStreamingError",
}


class KinesisClient(Protocol):
    """What is used of `boto3.client("kinesis")`."""

    def list_shards(self, **arguments: Any) -> Any: ...
    def get_shard_iterator(self, **arguments: Any) -> Any: ...
    def get_records(self, **arguments: Any) -> Any: ...


def error_name(error: BaseException) -> str:
    """The code that the service answered, else the name of botocore's exception."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return str(code or type(error).__name__)


def is_expired_iterator(error: BaseException) -> bool:
    return error_name(error) == "ExpiredIteratorException"


def read_error(error: BaseException, stream_name: str, has_answered: bool) -> ReadError:
    """Its code is `kinesis/read-failed` when it may pass; all others last, and end the reading at once."""
    name = error_name(error)
    why = f"{name}: {error}"
    response = getattr(error, "response", None)
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) if isinstance(response, dict) else 0
    if name == "ResourceNotFoundException":
        return ReadError("kinesis/stream-missing", f"no such stream or shard: {why}")
    if name in _ACCESS:
        return ReadError("kinesis/access-denied", f"may not read {stream_name}: {why}")
    is_unanswered = has_answered and name in _UNANSWERED
    if name in _PASSING or status >= 500 or is_expired_iterator(error) or is_unanswered:
        return ReadError("kinesis/read-failed", f"reading {stream_name} failed: {why}")
    return ReadError("kinesis/read-refused", f"reading {stream_name} failed: {why}")


def list_shards(client: KinesisClient, stream_name: str) -> list[dict[str, Any]]:
    """All shards that still exist, closed ones too."""
    found: list[dict[str, Any]] = []
    arguments = {"StreamName": stream_name}
    while arguments:
        page = client.list_shards(**arguments)
        found += page["Shards"]
        token = page.get("NextToken")
        arguments = {"NextToken": token} if token else {}
    return found
