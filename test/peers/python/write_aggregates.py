"""Packs user records with aws-kinesis-agg and puts the aggregates with boto3.

    write_aggregates.py ENDPOINT STREAM MAX_BYTES < user records, one JSON object a line: {"partitionKey": …, "data": base64}

Every second user record gets an explicit hash key, which our own producer never writes. Prints the number of aggregates.
"""

import base64
import json
import sys

import boto3
from aws_kinesis_agg.aggregator import RecordAggregator


def main():
    client = boto3.client("kinesis", endpoint_url=sys.argv[1])
    stream = sys.argv[2]
    client.create_stream(StreamName=stream, ShardCount=1)
    client.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 1})
    aggregator = RecordAggregator(int(sys.argv[3]))
    count = 0

    def put(aggregate):
        nonlocal count
        if aggregate is None:
            return
        partition_key, _, data = aggregate.get_contents()
        client.put_record(StreamName=stream, PartitionKey=partition_key, Data=data)
        count += 1

    for number, line in enumerate(sys.stdin):
        record = json.loads(line)
        explicit_hash_key = str(number) if number % 2 else None
        put(aggregator.add_user_record(record["partitionKey"], base64.b64decode(record["data"]), explicit_hash_key))
    put(aggregator.clear_and_get())
    print(count)


main()
