package rtms.peers;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.KinesisClientUtil;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.processor.SingleStreamTracker;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.fanout.FanOutConfig;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/**
 * One worker of a consumer group: {@code KclWorker <kinesis url> <dynamodb url> <stream> <group>
 * <worker> <file> <polling|fan-out>}. It appends each user record to the file before it sets a
 * checkpoint, and leaves the group when its standard input ends.
 */
public final class KclWorker {
  /**
   * The lease of a dead worker is taken by another one after this time. KCL's own default is 10 s.
   */
  private static final long FAILOVER_MS = 4_000;

  public static void main(String[] args) throws Exception {
    var stream = args[2];
    var worker = args[4];
    var out = Path.of(args[5]);
    var kinesis =
        KinesisClientUtil.createKinesisAsyncClient(
            KinesisAsyncClient.builder().endpointOverride(URI.create(args[0])));
    var table = DynamoDbAsyncClient.builder().endpointOverride(URI.create(args[1])).build();
    // Never called: the metrics are off.
    var cloudWatch = CloudWatchAsyncClient.builder().endpointOverride(URI.create(args[1])).build();

    var start =
        InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON);
    var tracker = new SingleStreamTracker(stream, start);
    var configs =
        new ConfigsBuilder(
            tracker, args[3], kinesis, table, cloudWatch, worker, () -> new Processor(out, worker));
    var retrieval =
        args[6].equals("fan-out")
            ? new FanOutConfig(kinesis).streamName(stream).applicationName(args[3])
            : new PollingConfig(stream, kinesis)
                .idleTimeBetweenReadsInMillis(500)
                .maxRecords(1_000);
    var scheduler =
        new Scheduler(
            configs.checkpointConfig(),
            configs.coordinatorConfig().parentShardPollIntervalMillis(500),
            quick(configs.leaseManagementConfig()),
            configs.lifecycleConfig(),
            configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
            configs.processorConfig(),
            configs.retrievalConfig().retrievalSpecificConfig(retrieval));

    System.out.println("version " + Versions.of(Scheduler.class));
    var running = new Thread(scheduler, "scheduler");
    running.start();
    while (System.in.read() >= 0) {}
    scheduler.startGracefulShutdown().get(30, TimeUnit.SECONDS);
    System.exit(0);
  }

  /**
   * All that takes KCL minutes by default: a dead worker and leader are noticed, and leases spread,
   * within seconds.
   */
  private static LeaseManagementConfig quick(LeaseManagementConfig config) {
    config.workerUtilizationAwareAssignmentConfig().workerMetricsReporterFreqInMillis(2_000);
    config.workerUtilizationAwareAssignmentConfig().varianceBalancingFrequency(1);
    return config
        .failoverTimeMillis(FAILOVER_MS)
        .leaseAssignmentIntervalMillis(2_000L)
        .dynamoDbLockBasedLeaderLeaseDurationInMillis(2 * FAILOVER_MS)
        .dynamoDbLockBasedLeaderHeartbeatPeriodInMillis(FAILOVER_MS / 4)
        .shardSyncIntervalMillis(2_000);
  }

  /** Writes the records of one shard. */
  private static final class Processor implements ShardRecordProcessor {
    private final Path out;
    private final String worker;
    private String shard;

    Processor(Path out, String worker) {
      this.out = out;
      this.worker = worker;
    }

    @Override
    public void initialize(InitializationInput input) {
      shard = input.shardId();
      System.out.println("initialize " + shard + " " + input.extendedSequenceNumber());
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
      var lines = input.records().stream().map(this::line).collect(Collectors.joining());
      var bytes = lines.getBytes(StandardCharsets.UTF_8);
      // Shards have threads of their own, and a long write is several.
      synchronized (KclWorker.class) {
        try {
          Files.write(out, bytes, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException error) {
          throw new UncheckedIOException(error);
        }
      }
      checkpoint(input.checkpointer());
    }

    private String line(KinesisClientRecord record) {
      var data = ByteString.copyFrom(record.data().duplicate());
      return SeenRecord.line(
              shard,
              record.partitionKey(),
              record.sequenceNumber(),
              record.subSequenceNumber(),
              data)
          + "\n";
    }

    @Override
    public void leaseLost(LeaseLostInput input) {
      System.out.println("leaseLost " + shard);
    }

    @Override
    public void shardEnded(ShardEndedInput input) {
      System.out.println("shardEnded " + shard);
      checkpoint(input.checkpointer());
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
      checkpoint(input.checkpointer());
    }

    private void checkpoint(RecordProcessorCheckpointer checkpointer) {
      try {
        checkpointer.checkpoint();
      } catch (ShutdownException error) {
        // Another worker has the lease: it reads from the checkpoint before.
        System.out.println("no checkpoint of " + worker + " " + shard);
      } catch (InvalidStateException error) {
        throw new IllegalStateException(error);
      }
    }
  }
}
