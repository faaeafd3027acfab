package rtms.peers;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import software.amazon.event.ruler.Machine;

/**
 * Matches events against patterns with EventBridge's own library. The first line of standard input
 * is an object of patterns by name, each further line an event; prints the names of the patterns
 * that match it, one array for each event.
 */
public final class RuleMatches {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) throws Exception {
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var machine = Machine.builder().build();
    System.out.println(JSON.writeValueAsString(Versions.of(Machine.class)));
    for (var entry : JSON.readTree(in.readLine()).properties()) {
      machine.addRule(entry.getKey(), entry.getValue().toString());
    }
    for (var line = in.readLine(); line != null; line = in.readLine()) {
      System.out.println(
          JSON.writeValueAsString(machine.rulesForJSONEvent(line).stream().sorted().toList()));
    }
  }
}
