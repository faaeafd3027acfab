package rtms.peers;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import rtms.v1.MediaRecordOuterClass.MediaRecord;

/** One user record as a line of JSON: where it stood, and what protobuf-java found in it. */
final class SeenRecord {
  private static final ObjectMapper JSON = new ObjectMapper();

  private SeenRecord() {}

  /**
   * @param subSequence the place inside of an aggregate, 0 outside of one
   */
  static String line(String shard, String key, String sequence, long subSequence, ByteString data) {
    try {
      var record = MediaRecord.parseFrom(data);
      check(
          record.getUnknownFields().asMap().isEmpty(),
          "has fields that the schema does not know",
          record);
      check(
          record.toByteString().equals(data), "is not written as protobuf-java writes it", record);
      check(
          (int) crc(record.getPayload()) == record.getPayloadCrc32(), "has another CRC-32", record);
      Map<String, Object> seen = new LinkedHashMap<>();
      seen.put("shardId", shard);
      seen.put("partitionKey", key);
      seen.put("sequenceNumber", sequence);
      seen.put("subSequenceNumber", subSequence);
      seen.put("payloadSha256", sha256(record.getPayload().toByteArray()));
      seen.put("payloadBytes", record.getPayload().size());
      seen.put("rtmsStreamId", record.getRtmsStreamId());
      seen.put("epoch", record.getEpoch());
      seen.put("sequence", record.getSequence());
      seen.put("mediaType", record.getMediaTypeValue());
      if (record.hasUserId()) seen.put("userId", Integer.toUnsignedLong(record.getUserId()));
      if (record.hasChannelId()) seen.put("channelId", record.getChannelId());
      seen.put("userName", record.getUserName());
      seen.put("capturedAtMs", record.getCapturedAtMs());
      seen.put("receivedAtMs", record.getReceivedAtMs());
      seen.put("codec", record.getCodecValue());
      seen.put("sampleRateHz", record.getSampleRateHz());
      seen.put("channels", record.getChannels());
      seen.put("width", record.getWidth());
      seen.put("height", record.getHeight());
      seen.put("chunkIndex", record.getChunkIndex());
      seen.put("chunkCount", record.getChunkCount());
      if (record.hasRecovered()) seen.put("recovered", record.getRecovered());
      return JSON.writeValueAsString(seen);
    } catch (InvalidProtocolBufferException | JsonProcessingException error) {
      throw new IllegalStateException("record " + sequence + "/" + subSequence, error);
    }
  }

  private static void check(boolean isTrue, String what, MediaRecord record) {
    if (isTrue) return;
    throw new IllegalStateException(
        record.getRtmsStreamId()
            + " "
            + record.getEpoch()
            + "/"
            + record.getSequence()
            + " "
            + what);
  }

  private static long crc(ByteString bytes) {
    var crc = new CRC32();
    crc.update(bytes.asReadOnlyByteBuffer());
    return crc.getValue();
  }

  static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException error) {
      throw new IllegalStateException(error);
    }
  }
}
