"""Kinesis as far as a reader sees it, in memory: shards that split, iterators that expire, calls that are refused."""

from threading import Lock


class Refused(Exception):
    """Has what botocore's ClientError has."""

    def __init__(self, code, status=400):
        super().__init__(code)
        self.response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}


class ManualClock:
    """Time passes when the reader sleeps."""

    def __init__(self):
        self.now = 1000.0
        self.sleeps = 0
        self.each_sleep = lambda: None

    def monotonic(self):
        return self.now

    def time(self):
        return 1_800_000_000 + self.now

    def sleep(self, seconds, stop):
        self.now += max(seconds, 0.001)
        self.sleeps += 1
        if self.sleeps > 20_000:
            raise AssertionError("the reader does not end")
        self.each_sleep()


class ModelKinesis:
    def __init__(self, clock, shards=("s-0",), page_size=2):
        self.clock = clock
        self.page_size = page_size
        self.records = {shard: [] for shard in shards}
        self.parents = {shard: () for shard in shards}
        self.closed = set()
        self.refusals = []
        """Codes that the next GetRecords calls are refused with; None lets one pass."""
        self.calls = {shard: [] for shard in shards}
        self.trimmed = dict.fromkeys(shards, 0)
        self.expire_iterators = 0
        self._lock = Lock()
        self._next = 0

    def put(self, data, key="stream-1", shard="s-0"):
        self._next += 1
        number = f"{self._next:020d}"
        self.records[shard].append({"SequenceNumber": number, "PartitionKey": key, "Data": data})
        return number

    def split(self, parent, *children):
        self.closed.add(parent)
        for child in children:
            self.records[child], self.parents[child], self.calls[child], self.trimmed[child] = [], (parent,), [], 0

    def list_shards(self, **arguments):
        assert arguments in ({"StreamName": "media"}, {"NextToken": "rest"}), arguments
        shards = [
            {
                "ShardId": shard,
                **dict(zip(("ParentShardId", "AdjacentParentShardId"), self.parents[shard])),
                "SequenceNumberRange": {"EndingSequenceNumber": "9"} if shard in self.closed else {},
            }
            for shard in sorted(self.records)
        ]
        # Two pages, so that a reader that asks for one alone is noticed.
        return {"Shards": shards[1:]} if "NextToken" in arguments else {"Shards": shards[:1], "NextToken": "rest"}

    def get_shard_iterator(self, StreamName, ShardId, ShardIteratorType, **of):
        records = self.records[ShardId]
        if ShardIteratorType == "AT_SEQUENCE_NUMBER":
            behind = [r for r in records if r["SequenceNumber"] >= of["StartingSequenceNumber"]]
            at = len(records) - len(behind)
        else:
            at = {"TRIM_HORIZON": 0, "LATEST": len(records), "AT_TIMESTAMP": 0}[ShardIteratorType]
        return {"ShardIterator": f"{ShardId} {max(at, self.trimmed[ShardId])}"}

    def get_records(self, ShardIterator):
        shard, at = ShardIterator.split(" ")
        with self._lock:
            self.calls[shard].append(self.clock.now)
            if self.expire_iterators:
                self.expire_iterators -= 1
                raise Refused("ExpiredIteratorException")
            code = self.refusals.pop(0) if self.refusals else None
        if code:
            raise Refused(code)
        until = int(at) + self.page_size
        page = self.records[shard][int(at) : until]
        left = len(self.records[shard]) - int(at) - len(page)
        answer = {"Records": page, "MillisBehindLatest": 1000 if left else 0}
        if not (shard in self.closed and left == 0):
            answer["NextShardIterator"] = f"{shard} {int(at) + len(page)}"
        return answer
