export { type ErrorCode, ServiceError } from '../../shared/errors.ts';
export { decodeMediaRecord } from '../../shared/record/decode-media-record.ts';
export type { BlindTime, EventData, EventName, LedgerRow } from '../../shared/record/event.ts';
export { decodeAggregate, type UserRecord } from '../../shared/record/kpl.ts';
export type { DecodedMediaRecord, MediaRecord } from '../../shared/record/media-record.ts';
export { type CheckpointStore, type SavedPosition, SHARD_END } from './checkpoints.ts';
export { EventDecoder, type ReceivedEvent, type RtmsEventOf } from './event-record.ts';
export { ChatExporter } from './export/chat.ts';
export type { Adjusted, Exporter } from './export/exporter.ts';
export { H264Exporter } from './export/h264.ts';
export { ImageSequenceExporter } from './export/image-sequence.ts';
export type { LeftOut } from './export/left-out.ts';
export { MeetingExport, type MeetingExportOptions } from './export/meeting.ts';
export { MixExporter } from './export/mix.ts';
export { Mp4Exporter } from './export/mp4.ts';
export { OpusExporter } from './export/opus.ts';
export { plainText } from './export/plain-text.ts';
export { srt } from './export/srt.ts';
export { type Cue, TranscriptExporter, type TranscriptFormat } from './export/transcript.ts';
export { vtt } from './export/vtt.ts';
export { WavExporter, type WavOptions } from './export/wav.ts';
export { type CodecName, type Frame, type FrameSource, sourceKey } from './frame.ts';
export {
  type DecodedKinesisEvent,
  decodeKinesisEvent,
  type KinesisLambdaEvent,
  type LambdaDecodeOptions,
} from './lambda.ts';
export { type BoundaryHole, LedgerChecker, type LedgerReport, verifyLedger } from './ledger.ts';
export type { EpochEnd, SourceReport } from './ledger-report.ts';
export { describeLoss, type Loss } from './loss.ts';
export { meetingEvents, meetingFrames } from './meeting-reader.ts';
export { type EventReader, events, type FrameReader, frames } from './reader.ts';
export {
  type DecodeCounts,
  type DecodeOptions,
  FrameDecoder,
  type KinesisRecord,
} from './records.ts';
export type { SequenceRange } from './sequence-ranges.ts';
export type { KinesisSender } from './shard-reader.ts';
export type { StreamReader } from './stream-pages.ts';
export { describeVerdict, judge, type Verdict } from './verdict.ts';
