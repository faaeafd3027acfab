package rtms.flink;

/** One line of the {@code events} stream, with the attributes that most jobs ask for. */
public class RtmsEvent {
  public String partitionKey;
  public String kinesisSequenceNumber;

  /** {@code rtmsStreamId/epoch/sequence}. */
  public String id;

  /** {@code rtms.<name>.v1}. */
  public String type;

  public String rtmsStreamId;
  public int epoch;
  public long sequence;

  /** RFC 3339. */
  public String time;

  /** The whole CloudEvent, as it stands in the stream. */
  public String json;
}
