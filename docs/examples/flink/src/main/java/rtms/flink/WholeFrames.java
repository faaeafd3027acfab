package rtms.flink;

import java.io.ByteArrayOutputStream;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.metrics.Counter;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Makes whole frames of what {@link FrameDeserializer} reads: drops repeats and late writers, and
 * joins chunks. Keyed by {@code partitionKey}, whose order the streams keep.
 *
 * <p>A frame of which a chunk is missing is counted ({@code rtmsIncompleteFrames}) and dropped.
 */
public final class WholeFrames extends KeyedProcessFunction<String, MediaFrame, MediaFrame> {
  private transient Fence fence;
  /** By source, the frame that is being joined: its payload so far, and the index that comes next. */
  private transient MapState<String, MediaFrame> partial;
  private transient Counter incomplete;

  @Override
  public void open(OpenContext context) {
    fence = new Fence(getRuntimeContext());
    var ofPartial = new MapStateDescriptor<>("partial", String.class, MediaFrame.class);
    ofPartial.enableTimeToLive(Fence.TWO_DAYS);
    partial = getRuntimeContext().getMapState(ofPartial);
    incomplete = getRuntimeContext().getMetricGroup().counter("rtmsIncompleteFrames");
  }

  @Override
  public void processElement(MediaFrame frame, Context context, Collector<MediaFrame> out)
      throws Exception {
    var source = frame.source();
    if (fence.isLate(frame.epoch) || fence.isRepeat(source, frame.sequence)) return;
    var whole = joined(source, frame);
    if (whole == null) return;
    fence.passed(source, frame.sequence);
    out.collect(whole);
  }

  /** @return the frame once its last chunk is here, else null */
  private MediaFrame joined(String source, MediaFrame frame) throws Exception {
    var before = partial.get(source);
    var isSame =
        before != null
            && before.epoch == frame.epoch
            && before.sequence == frame.sequence
            && before.chunkCount == frame.chunkCount;
    if (before != null && !isSame) {
      incomplete.inc();
      partial.remove(source);
    }
    if (frame.chunkCount <= 1) return frame;
    var next = isSame ? before.chunkIndex + 1 : 0;
    // A lower index is a repeat. With a higher one a chunk is missing, and the frame ends incomplete.
    if (frame.chunkIndex != next) return null;
    var bytes = new ByteArrayOutputStream();
    if (isSame) bytes.writeBytes(before.payload);
    bytes.writeBytes(frame.payload);
    frame.payload = bytes.toByteArray();
    if (frame.chunkIndex + 1 < frame.chunkCount) {
      partial.put(source, frame);
      return null;
    }
    partial.remove(source);
    frame.chunkIndex = 0;
    frame.chunkCount = 0;
    return frame;
  }
}
