package rtms.flink;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.util.zip.CRC32;
import org.apache.flink.api.common.serialization.DeserializationSchema.InitializationContext;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kinesis.source.serialization.KinesisDeserializationSchema;
import org.apache.flink.kinesis.shaded.software.amazon.awssdk.services.kinesis.model.Record;
import org.apache.flink.metrics.Counter;
import org.apache.flink.util.Collector;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import rtms.v1.MediaRecordOuterClass.MediaRecord;

/**
 * Makes several elements of one Kinesis record: each frame, or chunk of a frame, of an aggregate.
 * What is foreign or damaged is counted ({@code rtmsBadRecords}), logged and skipped: an exception
 * would start the job again at the same record.
 */
public final class FrameDeserializer implements KinesisDeserializationSchema<MediaFrame> {
  private static final Logger LOG = LoggerFactory.getLogger(FrameDeserializer.class);
  private transient Counter bad;

  @Override
  public void open(InitializationContext context) {
    bad = context.getMetricGroup().counter("rtmsBadRecords");
  }

  @Override
  public void deserialize(Record record, String stream, String shard, Collector<MediaFrame> out) {
    for (var part : UserRecords.of(record)) {
      try {
        var media = MediaRecord.parseFrom(UserRecords.bytesOf(part));
        check(media);
        out.collect(frameOf(media, part.partitionKey(), part.sequenceNumber()));
      } catch (InvalidProtocolBufferException error) {
        bad.inc();
        LOG.warn(
            "{} {}/{}: {}",
            shard,
            part.sequenceNumber(),
            part.subSequenceNumber(),
            error.getMessage());
      }
    }
  }

  @Override
  public TypeInformation<MediaFrame> getProducedType() {
    return TypeInformation.of(MediaFrame.class);
  }

  private static void check(MediaRecord media) throws InvalidProtocolBufferException {
    var isFrame =
        !media.getRtmsStreamId().isEmpty()
            && media.getEpoch() != 0
            && media.getSequence() > 0
            && (media.hasUserId() || media.hasChannelId())
            && switch (media.getMediaTypeValue()) {
              case 1, 2, 4 -> true;
              default -> false;
            };
    if (!isFrame) throw new InvalidProtocolBufferException("not a media record");
    if ((int) crcOf(media.getPayload()) != media.getPayloadCrc32()) {
      throw new InvalidProtocolBufferException("payload does not match its checksum");
    }
  }

  private static long crcOf(ByteString payload) {
    var crc = new CRC32();
    crc.update(payload.asReadOnlyByteBuffer());
    return crc.getValue();
  }

  private static MediaFrame frameOf(MediaRecord media, String partitionKey, String sequenceNumber) {
    var frame = new MediaFrame();
    frame.partitionKey = partitionKey;
    frame.kinesisSequenceNumber = sequenceNumber;
    frame.rtmsStreamId = media.getRtmsStreamId();
    frame.epoch = media.getEpoch();
    frame.sequence = media.getSequence();
    frame.mediaType = media.getMediaTypeValue();
    if (media.hasUserId()) frame.userId = Integer.toUnsignedLong(media.getUserId());
    if (media.hasChannelId()) frame.channelId = media.getChannelId();
    frame.userName = media.getUserName();
    frame.capturedAtMs = media.getCapturedAtMs();
    frame.receivedAtMs = media.getReceivedAtMs();
    frame.codec = media.getCodecValue();
    frame.sampleRateHz = media.getSampleRateHz();
    frame.channels = media.getChannels();
    frame.width = media.getWidth();
    frame.height = media.getHeight();
    frame.recovered = media.getRecovered();
    frame.chunkIndex = media.getChunkIndex();
    frame.chunkCount = media.getChunkCount();
    frame.payload = media.getPayload().toByteArray();
    return frame;
  }
}
