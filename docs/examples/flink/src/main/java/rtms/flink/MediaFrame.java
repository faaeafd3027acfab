package rtms.flink;

/**
 * One media frame, or one chunk of a frame: the fields of {@code media_record.proto} that say what
 * it is. Flink writes it with its serializer for POJOs, so it has public fields and no final ones.
 */
public class MediaFrame {
  public String partitionKey;
  public String kinesisSequenceNumber;
  public String rtmsStreamId;

  /** Ownership number of the runner that wrote it. */
  public int epoch;

  /** Counts from 1 for each stream, epoch, media type and source. */
  public long sequence;

  /** Zoom's number: 1 audio, 2 video, 4 share. */
  public int mediaType;

  /** -1 where a channel is the source; otherwise up to 4,294,967,295. */
  public long userId = -1;

  /** Null where a user is the source. */
  public String channelId;

  public String userName;

  /** By Zoom's clock, Unix ms. */
  public long capturedAtMs;

  /** By the runner's clock, Unix ms. */
  public long receivedAtMs;

  /** Zoom's number: 1 L16, 2 G711, 3 G722, 4 OPUS, 5 JPG, 6 PNG, 7 H264. */
  public int codec;

  public int sampleRateHz;
  public int channels;
  public int width;
  public int height;
  public boolean recovered;

  /** 0 of a whole frame. */
  public int chunkIndex;

  /** 0 or 1: this is a whole frame. */
  public int chunkCount;

  public byte[] payload;

  /** Names who sent it and what: a sequence of numbers belongs to it. */
  public String source() {
    return mediaType + " " + (channelId == null ? "user " + userId : "channel " + channelId);
  }
}
