// Reads and writes Kinesis streams with AWS's SDK for Go and AWS's aggregation library for Go.
//
//	main read ENDPOINT STREAM    prints one JSON object for each user record
//	main write ENDPOINT STREAM   packs user records from standard input, 50 in an aggregate
//
// The library takes aggregates apart and has no function that makes one: `write` uses its protobuf type for the body.
package main

import (
	"bufio"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/awslabs/kinesis-aggregation/go/v2/deaggregator"
	"github.com/awslabs/kinesis-aggregation/go/v2/records"
	"github.com/golang/protobuf/proto"
)

const recordsInAggregate = 50

type printed struct {
	PartitionKey   string `json:"partitionKey"`
	SequenceNumber string `json:"sequenceNumber"`
	Sha256         string `json:"sha256"`
}

type packed struct {
	PartitionKey string `json:"partitionKey"`
	Data         []byte `json:"data"`
}

func main() {
	ctx := context.Background()
	loaded, err := config.LoadDefaultConfig(ctx)
	check(err)
	client := kinesis.NewFromConfig(loaded, func(options *kinesis.Options) {
		options.BaseEndpoint = aws.String(os.Args[2])
	})
	switch os.Args[1] {
	case "read":
		read(ctx, client, os.Args[3])
	case "write":
		write(ctx, client, os.Args[3])
	default:
		log.Fatalf("no command %q", os.Args[1])
	}
}

func read(ctx context.Context, client *kinesis.Client, stream string) {
	shards, err := client.ListShards(ctx, &kinesis.ListShardsInput{StreamName: &stream})
	check(err)
	out := json.NewEncoder(os.Stdout)
	for _, shard := range shards.Shards {
		for _, record := range recordsOf(ctx, client, stream, *shard.ShardId) {
			users, err := deaggregator.DeaggregateRecords([]types.Record{record})
			check(err)
			for _, user := range users {
				hash := sha256.Sum256(user.Data)
				check(out.Encode(printed{*user.PartitionKey, *user.SequenceNumber, hex.EncodeToString(hash[:])}))
			}
		}
	}
}

func recordsOf(ctx context.Context, client *kinesis.Client, stream, shardID string) []types.Record {
	first, err := client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: &stream, ShardId: &shardID, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	check(err)
	var all []types.Record
	for iterator := first.ShardIterator; iterator != nil; {
		page, err := client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: iterator})
		check(err)
		all = append(all, page.Records...)
		if len(page.Records) == 0 && *page.MillisBehindLatest == 0 {
			break
		}
		iterator = page.NextShardIterator
	}
	return all
}

func write(ctx context.Context, client *kinesis.Client, stream string) {
	_, err := client.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &stream, ShardCount: aws.Int32(1)})
	check(err)
	exists := kinesis.NewStreamExistsWaiter(client)
	check(exists.Wait(ctx, &kinesis.DescribeStreamInput{StreamName: &stream}, 30*time.Second))
	lines := bufio.NewReader(os.Stdin)
	var waiting []packed
	count := 0
	flush := func() {
		if len(waiting) == 0 {
			return
		}
		_, err := client.PutRecord(ctx, &kinesis.PutRecordInput{
			StreamName: &stream, PartitionKey: &waiting[0].PartitionKey, Data: aggregate(waiting),
		})
		check(err)
		waiting = nil
		count++
	}
	in := json.NewDecoder(lines)
	for in.More() {
		var one packed
		check(in.Decode(&one))
		if len(waiting) == recordsInAggregate {
			flush()
		}
		waiting = append(waiting, one)
	}
	flush()
	fmt.Println(count)
}

func aggregate(users []packed) []byte {
	body := &records.AggregatedRecord{}
	index := map[string]uint64{}
	for _, user := range users {
		at, isKnown := index[user.PartitionKey]
		if !isKnown {
			at = uint64(len(body.PartitionKeyTable))
			index[user.PartitionKey] = at
			body.PartitionKeyTable = append(body.PartitionKeyTable, user.PartitionKey)
		}
		body.Records = append(body.Records, &records.Record{PartitionKeyIndex: &at, Data: user.Data})
	}
	bytes, err := proto.Marshal(body)
	check(err)
	digest := md5.Sum(bytes)
	return append(append([]byte("\xf3\x89\x9a\xc2"), bytes...), digest[:]...)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
