package rtms.peers;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.Map;

/** A record as a line of JSON, without a look inside. */
final class RawRecord {
  private static final ObjectMapper JSON = new ObjectMapper();

  private RawRecord() {}

  static String line(String shard, String key, String sequence, byte[] data) {
    Map<String, Object> seen = new LinkedHashMap<>();
    seen.put("shardId", shard);
    seen.put("partitionKey", key);
    seen.put("sequenceNumber", sequence);
    seen.put("bytes", data.length);
    seen.put("sha256", SeenRecord.sha256(data));
    try {
      return JSON.writeValueAsString(seen);
    } catch (JsonProcessingException error) {
      throw new IllegalStateException(error);
    }
  }
}
