package rtms.flink;

import java.time.Duration;
import org.apache.flink.api.common.functions.RuntimeContext;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.StateTtlConfig;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;

/**
 * Lets each record of a partition key pass once, and none of an owner that had lost the session when
 * it wrote (docs/records.md). It is state of the key that is being processed.
 */
final class Fence {
  /** A session that is longer than this without a record would be read anew. */
  static final StateTtlConfig TWO_DAYS =
      StateTtlConfig.newBuilder(Duration.ofDays(2)).cleanupFullSnapshot().build();

  private final ValueState<Integer> epoch;
  private final MapState<String, Long> last;

  Fence(RuntimeContext context) {
    var ofEpoch = new ValueStateDescriptor<>("epoch", Integer.class);
    ofEpoch.enableTimeToLive(TWO_DAYS);
    epoch = context.getState(ofEpoch);
    var ofLast = new MapStateDescriptor<>("last", String.class, Long.class);
    ofLast.enableTimeToLive(TWO_DAYS);
    last = context.getMapState(ofLast);
  }

  /**
   * @param recordEpoch the record's; a higher one than before fences all lower ones from now on
   * @return whether the record is of an epoch below the highest that was seen
   */
  boolean isLate(int recordEpoch) throws Exception {
    var highest = epoch.value();
    if (highest != null && Integer.compareUnsigned(recordEpoch, highest) < 0) return true;
    if (highest == null || recordEpoch != highest) {
      epoch.update(recordEpoch);
      last.clear();
    }
    return false;
  }

  /** Within a key and an epoch the order is strict, so a number that is not higher came before. */
  boolean isRepeat(String source, long sequence) throws Exception {
    var before = last.get(source);
    return before != null && sequence <= before;
  }

  void passed(String source, long sequence) throws Exception {
    last.put(source, sequence);
  }
}
