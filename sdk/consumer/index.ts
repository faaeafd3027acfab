export { type ErrorCode, ServiceError } from '../../shared/errors.ts';
export { decodeMediaRecord } from '../../shared/record/decode-media-record.ts';
export type { BlindTime, EventData, EventName, LedgerRow } from '../../shared/record/event-data.ts';
export { decodeAggregate, type UserRecord } from '../../shared/record/kpl.ts';
export type { DecodedMediaRecord, MediaRecord } from '../../shared/record/media-record.ts';
export { ArchivedSession } from './archive/archive-reader.ts';
export { type ArchivePlace, parseArchiveUrl } from './archive/layout.ts';
export type { ArchiveManifest } from './archive/manifest.ts';
export { ObjectStore, type S3Sender } from './archive/object-store.ts';
export { MixExporter } from './export/audio/mix.ts';
export { OpusExporter } from './export/audio/opus.ts';
export { WavExporter, type WavOptions } from './export/audio/wav.ts';
export type { Adjusted, Exporter } from './export/exporter.ts';
export type { LeftOut } from './export/left-out.ts';
export { MeetingExport, type MeetingExportOptions } from './export/meeting.ts';
export { ChatExporter } from './export/text/json-lines.ts';
export {
  type Cue,
  plainText,
  srt,
  TranscriptExporter,
  type TranscriptFormat,
  vtt,
} from './export/text/transcript.ts';
export { H264Exporter } from './export/video/h264.ts';
export { ImageSequenceExporter } from './export/video/image-sequence.ts';
export { Mp4Exporter } from './export/video/mp4.ts';
export {
  type ConsumerGroup,
  consumerGroup,
  type GroupStatus,
  type ShardStatus,
} from './group/consumer-group.ts';
export type { Batch, EventGroup, FrameGroup } from './group/group-options.ts';
export { type CheckpointStore, type SavedPosition, SHARD_END } from './reading/checkpoints.ts';
export {
  type DecodedKinesisEvent,
  decodeKinesisEvent,
  type KinesisLambdaEvent,
  type LambdaDecodeOptions,
} from './reading/lambda.ts';
export {
  type EventReader,
  events,
  type FrameReader,
  frames,
  meetingEvents,
  meetingFrames,
} from './reading/reader.ts';
export type { KinesisSender } from './reading/shard-reader.ts';
export type { StreamReader } from './reading/stream-pages.ts';
export { missWords } from './records/describe-event.ts';
export { EventDecoder, type ReceivedEvent, type RtmsEventOf } from './records/event-record.ts';
export { type CodecName, type Frame, type FrameSource, sourceKey } from './records/frame.ts';
export {
  type DecodeCounts,
  type DecodeOptions,
  FrameDecoder,
  type KinesisRecord,
} from './records/records.ts';
export type { SequenceRange } from './records/sequence-ranges.ts';
export { type LaneEnd, SpeakerLane, type SpeechBlock } from './speech/speaker-lane.ts';
export { speakers } from './speech/speakers.ts';
export type { SpeechNotice, SpeechNoticeKind } from './speech/speech-notice.ts';
export type { LanePosition, SpeakersOptions } from './speech/speech-options.ts';
export { LedgerChecker, type LedgerReport, verifyLedger } from './verdict/ledger.ts';
export type { EpochEnd, SourceReport } from './verdict/ledger-report.ts';
export { describeLoss, type Loss } from './verdict/loss.ts';
export type { BoundaryHole } from './verdict/unaccounted-losses.ts';
export { describeLosses, describeVerdict, judge, type Verdict } from './verdict/verdict.ts';
