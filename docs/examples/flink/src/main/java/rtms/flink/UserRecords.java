package rtms.flink;

import java.nio.ByteBuffer;
import java.util.List;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.services.kinesis.model.Record;
import software.amazon.kinesis.retrieval.AggregatorUtil;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/** Takes the aggregates of the Kinesis Producer Library apart, which KinesisStreamsSource hands out whole. */
final class UserRecords {
  private UserRecords() {}

  /** What is no aggregate is one user record. */
  static List<KinesisClientRecord> of(Record record) {
    var whole =
        KinesisClientRecord.builder()
            .partitionKey(record.partitionKey())
            .sequenceNumber(record.sequenceNumber())
            .approximateArrivalTimestamp(record.approximateArrivalTimestamp())
            .data(ByteBuffer.wrap(record.data().asByteArray()))
            .build();
    return new AggregatorUtil().deaggregate(List.of(whole));
  }

  static byte[] bytesOf(KinesisClientRecord part) {
    var data = part.data().duplicate();
    var bytes = new byte[data.remaining()];
    data.get(bytes);
    return bytes;
  }
}
