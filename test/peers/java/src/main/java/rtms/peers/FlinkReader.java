package rtms.peers;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.kinesis.source.KinesisStreamsSource;
import org.apache.flink.connector.kinesis.source.serialization.KinesisDeserializationSchema;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.services.kinesis.model.Record;
import org.apache.flink.runtime.util.EnvironmentInformation;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.connectors.kinesis.FlinkKinesisConsumer;
import org.apache.flink.util.Collector;

/**
 * Reads a data stream in a mini-cluster of Flink: {@code FlinkReader <kinesis url> <stream ARN>
 * <file> <source> <count>}. The source is {@code whole} (KinesisStreamsSource as it is) or {@code
 * consumer} (FlinkKinesisConsumer). Ends after so many records. Taking aggregates apart is in
 * docs/examples/flink.
 */
public final class FlinkReader {
  public static void main(String[] args) throws Exception {
    System.out.println("version " + EnvironmentInformation.getVersion());
    System.out.println("connector " + Versions.of(KinesisStreamsSource.class));
    var environment = StreamExecutionEnvironment.createLocalEnvironment(2);
    var left = Integer.parseInt(args[4]);
    try (var lines = open(environment, args).executeAndCollect();
        BufferedWriter out = Files.newBufferedWriter(Path.of(args[2]), StandardCharsets.UTF_8)) {
      for (; left > 0; left -= 1) out.append(lines.next()).append('\n');
    }
    System.exit(0);
  }

  private static DataStream<String> open(StreamExecutionEnvironment environment, String[] args) {
    var settings = new Properties();
    settings.setProperty("aws.endpoint", args[0]);
    settings.setProperty("aws.region", System.getenv("AWS_REGION"));
    if (args[3].equals("consumer")) {
      settings.setProperty("flink.stream.initpos", "TRIM_HORIZON");
      var name = args[1].substring(args[1].indexOf('/') + 1);
      return environment.addSource(
          new FlinkKinesisConsumer<>(name, new UserRecordLines(), settings));
    }
    var configuration = Configuration.fromMap((java.util.Map) settings);
    configuration.setString("flink.stream.initpos", "TRIM_HORIZON");
    var source =
        KinesisStreamsSource.<String>builder()
            .setStreamArn(args[1])
            .setSourceConfig(configuration)
            .setDeserializationSchema(new RecordLines())
            .build();
    return environment
        .fromSource(source, WatermarkStrategy.noWatermarks(), "kinesis")
        .returns(Types.STRING);
  }

  /** What a job sees of each Kinesis record. */
  private static final class RecordLines implements KinesisDeserializationSchema<String> {
    @Override
    public void deserialize(Record record, String stream, String shard, Collector<String> out) {
      out.collect(
          RawRecord.line(
              shard,
              record.partitionKey(),
              record.sequenceNumber(),
              record.data().asByteArrayUnsafe()));
    }

    @Override
    public TypeInformation<String> getProducedType() {
      return Types.STRING;
    }
  }

  /** What a job sees of each user record; this source does not tell its place in the aggregate. */
  private static final class UserRecordLines
      implements org.apache.flink.streaming.connectors.kinesis.serialization
              .KinesisDeserializationSchema<
          String> {
    @Override
    public String deserialize(
        byte[] data, String key, String sequence, long arrivedAtMs, String stream, String shard)
        throws IOException {
      return RawRecord.line(shard, key, sequence, data);
    }

    @Override
    public TypeInformation<String> getProducedType() {
      return Types.STRING;
    }
  }
}
