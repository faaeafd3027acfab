package rtms.peers;

import com.google.protobuf.ByteString;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import rtms.v1.MediaRecordOuterClass.Codec;
import rtms.v1.MediaRecordOuterClass.MediaRecord;
import rtms.v1.MediaRecordOuterClass.MediaType;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.model.KinesisException;
import software.amazon.awssdk.services.kinesis.model.PutRecordsRequestEntry;
import software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.awssdk.services.kinesis.model.Shard;
import software.amazon.awssdk.services.kinesis.model.ShardIteratorType;

/**
 * Writes media records with PutRecords and reads them back with GetRecords, by AWS SDK for Java 2:
 * {@code SdkClient <kinesis url> <stream> <file>}. What it read goes to the file. It prints the
 * version of the SDK, each content type that it sent or got, and the errors that three wrong calls
 * brought, by class.
 */
public final class SdkClient {
  private static final int CALLS = 3;
  private static final int RECORDS = 500;

  public static void main(String[] args) throws Exception {
    var stream = args[1];
    var builder = KinesisAsyncClient.builder().endpointOverride(URI.create(args[0]));
    builder.overrideConfiguration(config -> config.addExecutionInterceptor(new ContentTypes()));
    try (var kinesis = builder.build()) {
      System.out.println("version " + VersionInfo.SDK_VERSION);
      put(kinesis, stream);
      var lines = read(kinesis, stream);
      Files.write(Path.of(args[2]), lines, StandardCharsets.UTF_8);
      error(() -> kinesis.describeStreamSummary(request -> request.streamName("absent")).join());
      error(() -> kinesis.getRecords(request -> request.shardIterator("none")).join());
      error(
          () ->
              kinesis
                  .splitShard(
                      request ->
                          request
                              .streamName(stream)
                              .shardToSplit("shardId-000000000000")
                              .newStartingHashKey("0"))
                  .join());
    }
  }

  private static void put(KinesisAsyncClient kinesis, String stream) {
    var random = new Random(1);
    for (int call = 0; call < CALLS; call += 1) {
      List<PutRecordsRequestEntry> entries = new ArrayList<>();
      for (int index = 0; index < RECORDS; index += 1) {
        var record = record(call * RECORDS + index + 1, random);
        var data = SdkBytes.fromByteArrayUnsafe(record.toByteArray());
        entries.add(
            PutRecordsRequestEntry.builder().partitionKey("key-" + index % 7).data(data).build());
      }
      var answer =
          kinesis.putRecords(request -> request.streamName(stream).records(entries)).join();
      if (answer.failedRecordCount() > 0) throw new IllegalStateException(answer.toString());
    }
  }

  private static MediaRecord record(int sequence, Random random) {
    var payload = new byte[1 + random.nextInt(2_000)];
    random.nextBytes(payload);
    var crc = new CRC32();
    crc.update(payload);
    var record =
        MediaRecord.newBuilder()
            .setRtmsStreamId("stream-of-java")
            .setEpoch(1 + sequence / 1_000)
            .setSequence(sequence)
            .setMediaType(
                sequence % 2 == 0 ? MediaType.MEDIA_TYPE_AUDIO : MediaType.MEDIA_TYPE_VIDEO)
            .setUserName("Zoë 🎤 " + sequence % 5)
            .setCapturedAtMs(1_764_000_000_000L + 20L * sequence)
            .setReceivedAtMs(1_764_000_000_040L + 20L * sequence)
            .setCodec(sequence % 2 == 0 ? Codec.CODEC_OPUS : Codec.CODEC_H264)
            .setPayloadCrc32((int) crc.getValue())
            .setPayload(ByteString.copyFrom(payload));
    // Above 2^31: the number of a person is unsigned.
    if (sequence % 3 == 0) record.setChannelId("channel-" + sequence % 11);
    else record.setUserId((int) (3_000_000_000L + sequence % 7));
    if (sequence % 2 == 0) record.setSampleRateHz(48_000).setChannels(2);
    else record.setWidth(1_280).setHeight(720);
    if (sequence % 50 == 0) record.setRecovered(true);
    return record.build();
  }

  private static List<String> read(KinesisAsyncClient kinesis, String stream) {
    List<String> lines = new ArrayList<>();
    for (Shard shard : kinesis.listShards(request -> request.streamName(stream)).join().shards()) {
      var start = ShardIteratorType.TRIM_HORIZON;
      var iterator =
          kinesis
              .getShardIterator(
                  request ->
                      request.streamName(stream).shardId(shard.shardId()).shardIteratorType(start))
              .join()
              .shardIterator();
      for (long behindMs = 1; iterator != null && behindMs > 0; ) {
        var from = iterator;
        var answer = kinesis.getRecords(request -> request.shardIterator(from)).join();
        for (Record record : answer.records()) {
          var age =
              System.currentTimeMillis() - record.approximateArrivalTimestamp().toEpochMilli();
          if (age < -1_000 || age > 600_000)
            throw new IllegalStateException("arrived " + age + " ms ago");
          var data = ByteString.copyFrom(record.data().asByteArrayUnsafe());
          lines.add(
              SeenRecord.line(
                  shard.shardId(), record.partitionKey(), record.sequenceNumber(), 0, data));
        }
        iterator = answer.nextShardIterator();
        behindMs = answer.millisBehindLatest();
      }
    }
    return lines;
  }

  private static void error(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException error) {
      if (!(error.getCause() instanceof KinesisException refused)) throw error;
      System.out.println(
          "error " + refused.getClass().getSimpleName() + " " + refused.statusCode());
    }
  }

  private static final class ContentTypes implements ExecutionInterceptor {
    @Override
    public void beforeTransmission(
        Context.BeforeTransmission context, ExecutionAttributes attributes) {
      tell("sent", context.httpRequest().firstMatchingHeader("Content-Type").orElse("none"));
    }

    @Override
    public void afterTransmission(
        Context.AfterTransmission context, ExecutionAttributes attributes) {
      tell("got", context.httpResponse().firstMatchingHeader("Content-Type").orElse("none"));
    }

    private static void tell(String what, String contentType) {
      System.out.println(what + " " + contentType);
    }
  }
}
