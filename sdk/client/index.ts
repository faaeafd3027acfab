import { Executor } from './callbacks/executor.ts';
import { Client } from './client.ts';
import { run, stop } from './run.ts';
import * as constants from './settings/constants.ts';
import { isInitialized } from './settings/environment.ts';
import { generateSignature } from './settings/join-params.ts';
import { configureLogger, LogFormat, LogLevel } from './settings/logger.ts';
import { singleton } from './singleton.ts';
import { createWebhookHandler } from './webhook/webhook-handler.ts';
import { onWebhookEvent } from './webhook/webhook-server.ts';

const { initialize, uninitialize } = Client;

export type {
  AgreedMedia as EffectiveMedia,
  ChatMessage,
  EndReason,
  TranscriptLine,
} from '../../rtms/events.ts';
export { type ErrorCode, ServiceError } from '../../shared/errors.ts';
export type { AiInterpreter, AiTargetLanguage } from './callbacks/ai-interpreter.ts';
export type {
  ActiveSpeakerEventCallback,
  AudioDataCallback,
  CallbackName,
  ChatDataCallback,
  DeskshareCallback,
  DeskshareDataCallback,
  Dropped,
  EventExCallback,
  EventParticipantInfo,
  JoinConfirmCallback,
  LeaveCallback,
  MediaDataCallback,
  ParticipantEventCallback,
  ParticipantInfo,
  SessionInfo,
  SessionUpdateCallback,
  SharingEventCallback,
  TaskResultCallback,
  TranscriptDataCallback,
  UserUpdateCallback,
  VideoDataCallback,
} from './callbacks/callbacks.ts';
export { Executor, type ExecutorOptions } from './callbacks/executor.ts';
export type { Metadata } from './callbacks/metadata.ts';
export { Client, type ClientOptions, type Left } from './client.ts';
export { type RunOptions, run, stop } from './run.ts';
export {
  AudioChannel,
  AudioCodec,
  AudioContentType,
  AudioDataOption,
  AudioSampleRate,
  DataOption,
  EVENT_ACTIVE_SPEAKER_CHANGE,
  EVENT_CHAT_GROUP_CREATE,
  EVENT_CHAT_GROUP_DELETE,
  EVENT_CHAT_GROUP_MEMBER_STATUS_UPDATE,
  EVENT_CHAT_GROUP_MEMBERS_ADD,
  EVENT_CHAT_GROUP_MEMBERS_DELETE,
  EVENT_CONSUMER_ANSWERED,
  EVENT_CONSUMER_END,
  EVENT_FIRST_PACKET_TIMESTAMP,
  EVENT_MEDIA_CONNECTION_INTERRUPTED,
  EVENT_PARTICIPANT_JOIN,
  EVENT_PARTICIPANT_LEAVE,
  EVENT_PARTICIPANT_VIDEO_OFF,
  EVENT_PARTICIPANT_VIDEO_ON,
  EVENT_SHARING_START,
  EVENT_SHARING_STOP,
  EVENT_UNDEFINED,
  EVENT_USER_ANSWERED,
  EVENT_USER_END,
  EVENT_USER_HOLD,
  EVENT_USER_UNHOLD,
  EventType,
  MEDIA_TYPE_ALL,
  MEDIA_TYPE_AUDIO,
  MEDIA_TYPE_CHAT,
  MEDIA_TYPE_DESKSHARE,
  MEDIA_TYPE_TRANSCRIPT,
  MEDIA_TYPE_VIDEO,
  MediaDataType,
  MessageType,
  RTMS_SDK_FAILURE,
  RTMS_SDK_INVALID_ARGS,
  RTMS_SDK_INVALID_STATUS,
  RTMS_SDK_NOT_EXIST,
  RTMS_SDK_OK,
  RTMS_SDK_TIMEOUT,
  RTMS_SDK_WRONG_TYPE,
  SESS_STATUS_ACTIVE,
  SESS_STATUS_PAUSED,
  SESSION_EVENT_ADD,
  SESSION_EVENT_PAUSE,
  SESSION_EVENT_RESUME,
  SESSION_EVENT_STOP,
  SessionState,
  StopReason,
  StreamState,
  TranscriptLanguage,
  USER_EVENT_JOIN,
  USER_EVENT_LEAVE,
  USER_JOIN,
  USER_LEAVE,
  VideoCodec,
  VideoContentType,
  VideoDataOption,
  VideoResolution,
  VoiceEventType,
} from './settings/constants.ts';
export type { JoinParams, JoinPayload, StreamPayload } from './settings/join-params.ts';
export { generateSignature, type SignatureParams } from './settings/join-params.ts';
export { configureLogger, LogFormat, type LoggerConfig, LogLevel } from './settings/logger.ts';
export type {
  AudioParams,
  DeskshareParams,
  MediaTypes,
  TranscriptParams,
  VideoParams,
} from './settings/media-params.ts';
export type { WebhookEvent } from './webhook/webhook-delivery.ts';
export {
  createWebhookHandler,
  type RawWebhookCallback,
  type WebhookCallback,
  type WebhookHandler,
  type WebhookOptions,
} from './webhook/webhook-handler.ts';
export {
  onWebhookEvent,
  type WebhookServer,
  type WebhookServerOptions,
} from './webhook/webhook-server.ts';

export { initialize, isInitialized, uninitialize };

/** For `import rtms from …`, as programs written for Zoom's SDK have it. */
export default {
  ...constants,
  ...singleton,
  Client,
  Executor,
  LogFormat,
  LogLevel,
  configureLogger,
  createWebhookHandler,
  generateSignature,
  initialize,
  isInitialized,
  onWebhookEvent,
  run,
  stop,
  uninitialize,
};
