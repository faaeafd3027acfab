package rtms.flink;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * A job in a mini-cluster that prints both streams as lines of JSON and ends after so many: {@code
 * PrintStreams <media ARN> <events ARN> <count> [<url of another Kinesis>]}. The Region is that of
 * {@code AWS_REGION}.
 */
public final class PrintStreams {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    var settings = new Configuration();
    settings.setString("aws.region", System.getenv("AWS_REGION"));
    settings.setString("flink.stream.initpos", "TRIM_HORIZON");
    if (args.length > 3) settings.setString("aws.endpoint", args[3]);
    var environment = StreamExecutionEnvironment.createLocalEnvironment(2);
    var frames =
        RtmsStreams.frames(environment, args[0], settings)
            .map(PrintStreams::lineOf)
            .returns(Types.STRING);
    var events =
        RtmsStreams.events(environment, args[1], settings)
            .map(event -> event.json)
            .returns(Types.STRING);
    var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    try (var lines = frames.union(events).executeAndCollect()) {
      for (var left = Integer.parseInt(args[2]); left > 0; left -= 1) out.println(lines.next());
    }
    out.flush();
    System.exit(0);
  }

  private static String lineOf(MediaFrame frame) throws Exception {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("partitionKey", frame.partitionKey);
    line.put("kinesisSequenceNumber", frame.kinesisSequenceNumber);
    line.put("rtmsStreamId", frame.rtmsStreamId);
    line.put("epoch", frame.epoch);
    line.put("sequence", frame.sequence);
    line.put("mediaType", frame.mediaType);
    if (frame.channelId == null) line.put("userId", frame.userId);
    else line.put("channelId", frame.channelId);
    line.put("userName", frame.userName);
    line.put("capturedAtMs", frame.capturedAtMs);
    line.put("receivedAtMs", frame.receivedAtMs);
    line.put("codec", frame.codec);
    line.put("sampleRateHz", frame.sampleRateHz);
    line.put("channels", frame.channels);
    line.put("width", frame.width);
    line.put("height", frame.height);
    if (frame.recovered) line.put("recovered", true);
    var digest = MessageDigest.getInstance("SHA-256").digest(frame.payload);
    line.put("payload", HexFormat.of().formatHex(digest));
    return JSON.writeValueAsString(line);
  }
}
