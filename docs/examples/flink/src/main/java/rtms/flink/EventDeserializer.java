package rtms.flink;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.serialization.DeserializationSchema.InitializationContext;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kinesis.source.serialization.KinesisDeserializationSchema;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.services.kinesis.model.Record;
import org.apache.flink.metrics.Counter;
import org.apache.flink.util.Collector;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes an element of each line of a Kinesis record, which may hold several. Lines that are none of
 * ours are counted ({@code rtmsBadRecords}), logged and skipped.
 */
public final class EventDeserializer implements KinesisDeserializationSchema<RtmsEvent> {
  private static final Logger LOG = LoggerFactory.getLogger(EventDeserializer.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private transient Counter bad;

  @Override
  public void open(InitializationContext context) {
    bad = context.getMetricGroup().counter("rtmsBadRecords");
  }

  @Override
  public void deserialize(Record record, String stream, String shard, Collector<RtmsEvent> out) {
    for (var part : UserRecords.of(record)) {
      var text = new String(UserRecords.bytesOf(part), StandardCharsets.UTF_8);
      for (var line : text.split("\n")) {
        if (line.isBlank()) continue;
        var event = read(line);
        if (event == null) {
          bad.inc();
          LOG.warn("{} {}: not an event of rtms-kinesis", shard, part.sequenceNumber());
          continue;
        }
        event.partitionKey = part.partitionKey();
        event.kinesisSequenceNumber = part.sequenceNumber();
        out.collect(event);
      }
    }
  }

  @Override
  public TypeInformation<RtmsEvent> getProducedType() {
    return TypeInformation.of(RtmsEvent.class);
  }

  private static RtmsEvent read(String line) {
    try {
      var document = JSON.readTree(line);
      var event = new RtmsEvent();
      event.id = document.path("id").asText();
      event.type = document.path("type").asText();
      event.rtmsStreamId = document.path("subject").asText();
      event.epoch = document.path("epoch").asInt();
      event.sequence = document.path("sequence").asLong();
      event.time = document.path("time").asText();
      event.json = line;
      var isOurs =
          document.path("specversion").asText().equals("1.0")
              && event.type.matches("rtms\\.[a-z_]+\\.v\\d+")
              && !event.rtmsStreamId.isEmpty()
              && event.epoch > 0
              && event.sequence > 0;
      return isOurs ? event : null;
    } catch (JsonProcessingException error) {
      return null;
    }
  }
}
