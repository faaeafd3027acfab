package rtms.flink;

import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.kinesis.source.KinesisStreamsSource;
import org.apache.flink.connector.kinesis.source.serialization.KinesisDeserializationSchema;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** The two Kinesis streams of rtms-kinesis as Flink's data streams. */
public final class RtmsStreams {
  private RtmsStreams() {}

  /**
   * @param arn of the {@code media} stream
   * @param settings of KinesisStreamsSource: {@code aws.region}, {@code flink.stream.initpos}
   * @return whole frames, each once
   */
  public static DataStream<MediaFrame> frames(
      StreamExecutionEnvironment environment, String arn, Configuration settings) {
    return read(environment, "media", arn, settings, new FrameDeserializer(), MediaFrame.class)
        .keyBy(frame -> frame.partitionKey)
        .process(new WholeFrames())
        .uid("rtms-whole-frames");
  }

  /**
   * @param arn of the {@code events} stream
   * @return events, each once
   */
  public static DataStream<RtmsEvent> events(
      StreamExecutionEnvironment environment, String arn, Configuration settings) {
    return read(environment, "events", arn, settings, new EventDeserializer(), RtmsEvent.class)
        .keyBy(event -> event.partitionKey)
        .process(new NewEvents())
        .uid("rtms-new-events");
  }

  private static <T> DataStream<T> read(
      StreamExecutionEnvironment environment,
      String name,
      String arn,
      Configuration settings,
      KinesisDeserializationSchema<T> schema,
      Class<T> type) {
    var source =
        KinesisStreamsSource.<T>builder()
            .setStreamArn(arn)
            .setSourceConfig(settings)
            .setDeserializationSchema(schema)
            .build();
    return environment
        .fromSource(source, WatermarkStrategy.noWatermarks(), name, TypeInformation.of(type))
        .uid("rtms-" + name);
  }
}
