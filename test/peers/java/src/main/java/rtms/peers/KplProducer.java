package rtms.peers;

import com.google.common.util.concurrent.ListenableFuture;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.kinesis.producer.KinesisProducer;
import software.amazon.kinesis.producer.KinesisProducerConfiguration;
import software.amazon.kinesis.producer.UserRecord;
import software.amazon.kinesis.producer.UserRecordResult;

/**
 * Writes user records with the Kinesis Producer Library, which puts them into aggregates: {@code
 * KplProducer <port> <stream> <file>}. The library talks TLS to that port of localhost. Where each
 * record went stands in the file.
 */
public final class KplProducer {
  private static final int RECORDS = 3_000;
  private static final int KEYS = 20;

  public static void main(String[] args) throws Exception {
    var port = Long.parseLong(args[0]);
    var configuration =
        new KinesisProducerConfiguration()
            .setKinesisEndpoint("localhost")
            .setKinesisPort(port)
            .setStsEndpoint("localhost")
            .setStsPort(port)
            .setRegion(System.getenv("AWS_REGION"))
            .setCredentialsProvider(DefaultCredentialsProvider.create())
            .setVerifyCertificate(false)
            .setTempDirectory(Path.of(args[2]).getParent().toString())
            .setLogLevel("warning")
            .setMetricsLevel("none");
    var producer = new KinesisProducer(configuration);
    System.out.println("version " + Versions.of(KinesisProducer.class));
    var random = new Random(1);
    List<byte[]> written = new ArrayList<>();
    List<ListenableFuture<UserRecordResult>> results = new ArrayList<>();
    for (int index = 0; index < RECORDS; index += 1) {
      // Some are too large for an aggregate.
      var data = new byte[index % 100 == 99 ? 60_000 : 1 + random.nextInt(1_500)];
      random.nextBytes(data);
      written.add(data);
      results.add(
          producer.addUserRecord(new UserRecord(args[1], key(index), null, ByteBuffer.wrap(data))));
    }
    producer.flush();
    List<String> lines = new ArrayList<>();
    for (int index = 0; index < RECORDS; index += 1) {
      var result = results.get(index).get(60, TimeUnit.SECONDS);
      lines.add(
          RawRecord.line(
              result.getShardId(), key(index), result.getSequenceNumber(), written.get(index)));
    }
    Files.write(Path.of(args[2]), lines, StandardCharsets.UTF_8);
    producer.flushSync();
    producer.destroy();
    System.exit(0);
  }

  private static String key(int index) {
    return "schlüssel-" + index % KEYS;
  }
}
