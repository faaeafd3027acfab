package rtms.flink;

import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** Drops repeats and late writers of the {@code events} stream. Keyed by {@code partitionKey}. */
public final class NewEvents extends KeyedProcessFunction<String, RtmsEvent, RtmsEvent> {
  /** Lines of all kinds share one numbering. */
  private static final String ALL_LINES = "lines";

  private transient Fence fence;

  @Override
  public void open(OpenContext context) {
    fence = new Fence(getRuntimeContext());
  }

  @Override
  public void processElement(RtmsEvent event, Context context, Collector<RtmsEvent> out)
      throws Exception {
    if (fence.isLate(event.epoch) || fence.isRepeat(ALL_LINES, event.sequence)) return;
    fence.passed(ALL_LINES, event.sequence);
    out.collect(event);
  }
}
