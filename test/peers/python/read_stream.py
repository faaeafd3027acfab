"""Reads a Kinesis stream from its beginning with boto3 and takes it apart with aws-kinesis-agg.

    read_stream.py ENDPOINT STREAM FOLDER_OF_MEDIA_RECORD_PB2

Prints one JSON object for each user record. A record of the media stream is parsed by protobuf, and encoded again, so that the reader
of this output can compare both. What is no MediaRecord has no "fields".
"""

import base64
import hashlib
import json
import sys

import boto3
from aws_kinesis_agg.deaggregator import iter_deaggregate_records
from google.protobuf.json_format import MessageToDict

sys.path.insert(0, sys.argv[3])
import media_record_pb2  # noqa: E402  protoc writes it there


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def records_of(client, stream):
    for shard in client.get_paginator("list_shards").paginate(StreamName=stream).search("Shards"):
        iterator = client.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            page = client.get_records(ShardIterator=iterator)
            yield from page["Records"]
            if not page["Records"] and page["MillisBehindLatest"] == 0:
                break
            iterator = page.get("NextShardIterator")


def fields_of(data):
    message = media_record_pb2.MediaRecord.FromString(data)
    payload = message.payload
    message.ClearField("payload")
    fields = MessageToDict(
        message, use_integers_for_enums=True, always_print_fields_with_no_presence=True
    )
    again = media_record_pb2.MediaRecord.FromString(data).SerializeToString()
    return {"fields": fields, "payload": sha256(payload), "encodedAgain": sha256(again)}


def main():
    client = boto3.client("kinesis", endpoint_url=sys.argv[1])
    for record in iter_deaggregate_records(list(records_of(client, sys.argv[2])), data_format="Boto3"):
        found = record["kinesis"]
        # Of an aggregate the library gives base64, as Lambda does; what is none it hands on as boto3 gave it.
        data = base64.b64decode(found["data"]) if found.get("aggregated") else found["data"]
        line = {
            "partitionKey": found["partitionKey"],
            "sequenceNumber": found["sequenceNumber"],
            "isAggregated": bool(found.get("aggregated")),
            "sha256": sha256(data),
        }
        if not data.startswith(b"{"):
            line.update(fields_of(data))
        print(json.dumps(line))


main()
