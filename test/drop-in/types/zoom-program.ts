/** Compiled by `npm run types` and by main.ts in four ways of resolving: uses every type of Zoom's as programs do. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import rtms, {
  type ActiveSpeakerEventCallback,
  type AiInterpreter,
  type AiTargetLanguage,
  type AudioChannel,
  type AudioCodec,
  type AudioContentType,
  type AudioDataCallback,
  type AudioDataOption,
  type AudioParams,
  type AudioSampleRate,
  Client,
  type DeskshareCallback,
  type DeskshareParams,
  type EventExCallback,
  type EventParticipantInfo,
  type EventType,
  type JoinConfirmCallback,
  type JoinParams,
  type LeaveCallback,
  LogFormat,
  type LoggerConfig,
  LogLevel,
  type MediaDataType,
  type MediaTypes,
  type MessageType,
  type Metadata,
  type ParticipantEventCallback,
  type ParticipantInfo,
  type RawWebhookCallback,
  type SessionInfo,
  type SessionState,
  type SessionUpdateCallback,
  type SharingEventCallback,
  type SignatureParams,
  type StopReason,
  type StreamState,
  type TranscriptDataCallback,
  type TranscriptParams,
  type UserUpdateCallback,
  type VideoCodec,
  type VideoContentType,
  type VideoDataCallback,
  type VideoDataOption,
  type VideoParams,
  type VideoResolution,
  type WebhookCallback,
} from '../../../sdk/client/index.ts';

/** Each table is a value and a type of its names, with numbers. */
export const tables: [
  AudioChannel,
  AudioCodec,
  AudioContentType,
  AudioDataOption,
  AudioSampleRate,
  EventType,
  MediaDataType,
  MessageType,
  SessionState,
  StopReason,
  StreamState,
  VideoCodec,
  VideoContentType,
  VideoDataOption,
  VideoResolution,
] = [
  rtms.AudioChannel,
  rtms.AudioCodec,
  rtms.AudioContentType,
  rtms.AudioDataOption,
  rtms.AudioSampleRate,
  rtms.EventType,
  rtms.MediaDataType,
  rtms.MessageType,
  rtms.SessionState,
  rtms.StopReason,
  rtms.StreamState,
  rtms.VideoCodec,
  rtms.VideoContentType,
  rtms.VideoDataOption,
  rtms.VideoResolution,
];

// Filled field by field.
const audio: AudioParams = {};
audio.codec = rtms.AudioCodec.OPUS;
audio.sampleRate = rtms.AudioSampleRate.SR_48K;
const video: VideoParams = { codec: rtms.VideoCodec.H264 };
video.dataOpt = rtms.VideoDataOption.VIDEO_MIXED_SPEAKER_VIEW;
const share: DeskshareParams = {};
share.fps = 5;
const transcript: TranscriptParams = {};
transcript.srcLanguage = rtms.TranscriptLanguage.ENGLISH;
const signature: SignatureParams = { client: 'c', secret: 's', uuid: 'u', streamId: 'i' };
signature.uuid = 'v';
const join: JoinParams = { meeting_uuid: 'u', rtms_stream_id: 'i', server_urls: 'wss://a.zoom.us' };
join.client = 'c';
join.is_verify_cert = 1;
export const addresses: string[] = join.server_urls.split(',');
const logging: Partial<LoggerConfig> = { level: LogLevel.DEBUG, format: LogFormat.JSON };
logging.enabled = false;
export const wanted: MediaTypes = { audio: true };

// What callbacks hand out fits what programs write out.
export const target: AiTargetLanguage = { lid: 9, toneId: 1, voiceId: 'v', engine: 'e' };
export const interpreter: AiInterpreter = {
  lid: 9,
  timestamp: 0,
  channelNum: 1,
  sampleRate: 16_000,
  targets: [target],
};
export const metadata: Metadata = {
  userName: 'n',
  userId: 1,
  startTs: 0,
  endTs: 0,
  aiInterpreter: interpreter,
};
export const person: ParticipantInfo = { id: 1, name: 'n' };
const session: SessionInfo = {
  sessionId: 's',
  streamId: 'i',
  meetingId: 'm',
  statTime: 0,
  status: rtms.SESS_STATUS_ACTIVE,
  isActive: true,
  isPaused: false,
};
session.status = rtms.SESS_STATUS_PAUSED;

const heard: string[] = [];
const onAudio: AudioDataCallback = (
  buffer: Buffer,
  size: number,
  timestamp: number,
  from: Metadata,
) => heard.push(`${buffer.length + size + timestamp} ${from.aiInterpreter.targets.length}`);
const onVideo: VideoDataCallback = (...args) => heard.push(args[3].userName);
const onShare: DeskshareCallback = (buffer) => heard.push(buffer.toString('hex'));
const onTranscript: TranscriptDataCallback = (buffer) => heard.push(buffer.toString());
const onConfirm: JoinConfirmCallback = (reason: number) => heard.push(String(reason));
const onSession: SessionUpdateCallback = (op, info) => heard.push(`${op} ${info.statTime}`);
const onUser: UserUpdateCallback = (op, who) => heard.push(`${op} ${who.id} ${who.name}`);
const onLeave: LeaveCallback = (reason) =>
  heard.push(String(reason === rtms.StopReason.STOP_BC_MEETING_ENDED));
const onRaw: EventExCallback = (json: string) => heard.push(json);
const onSpeaker: ActiveSpeakerEventCallback = (timestamp, id, name) =>
  heard.push(`${timestamp} ${id} ${name}`);
const onSharing: SharingEventCallback = (event, timestamp, id?: number, name?: string) =>
  heard.push(`${event} ${timestamp} ${id} ${name}`);
const onPeople: ParticipantEventCallback = (event, timestamp, people: EventParticipantInfo[]) =>
  heard.push(`${event} ${timestamp} ${people.map(({ userName }) => userName).join()}`);

export function start(payload: Record<string, unknown> | JoinParams): boolean {
  const client: Client = new Client();
  const results: boolean[] = [
    client.setAudioParams(audio),
    client.setVideoParams(video),
    client.setDeskshareParams(share),
    client.setTranscriptParams(transcript),
    client.onAudioData(onAudio),
    client.onVideoData(onVideo),
    client.onDeskshareData(onShare),
    client.onTranscriptData(onTranscript),
    client.onJoinConfirm(onConfirm),
    client.onSessionUpdate(onSession),
    client.onUserUpdate(onUser),
    client.onParticipantEvent(onPeople),
    client.onActiveSpeakerEvent(onSpeaker),
    client.onSharingEvent(onSharing),
    client.onEventEx(onRaw),
    client.onLeave(onLeave),
    client.subscribeEvent([rtms.EVENT_PARTICIPANT_JOIN]),
    client.join(payload),
    // A boolean to Zoom's types; a promise to who awaits it.
    client.leave(),
    client.release(),
  ];
  return results.every(Boolean);
}

// biome-ignore lint/suspicious/noExplicitAny: as programs for Zoom's SDK write it
const basic: WebhookCallback = (payload: Record<string, any>) => start(payload['payload']);
const raw: RawWebhookCallback = (payload, req: IncomingMessage, res: ServerResponse) => {
  res.writeHead(200).end(`${payload['event']} ${req.url}`);
};
export function serve(): void {
  rtms.configureLogger(logging);
  rtms.configureLogger({ level: Number('3') });
  rtms.onWebhookEvent(basic);
  rtms.onWebhookEvent(({ event, payload }) => event === 'meeting.rtms_started' && start(payload));
  const handler: (req: IncomingMessage, res: ServerResponse) => void = rtms.createWebhookHandler(
    raw,
    '/zoom',
  );
  createServer(handler).listen(0);
}
