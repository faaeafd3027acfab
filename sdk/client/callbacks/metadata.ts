import type { ChatMessage, MediaFrame, TranscriptLine } from '../../../rtms/events.ts';
import { type AiInterpreter, noInterpreter } from './ai-interpreter.ts';

/** Who sent a payload, and when. The first five fields are those of Zoom's SDK. */
export interface Metadata {
  /** From the message or the roster; for mixed audio the active speaker's. Empty when Zoom gave none. */
  userName: string;
  /** The participant. 0 for mixed audio while nobody is known to speak, and for a channel. Never -1. */
  userId: number;
  /** Capture time, Unix ms; for a transcript line when its words began. */
  startTs: number;
  /** As `startTs`; for a transcript line when its words ended. */
  endTs: number;
  /** The interpretation that this audio belongs to; empty where Zoom announced none. */
  aiInterpreter: AiInterpreter;
  /** The channel, where Zoom names one instead of a participant (Contact Center, Phone). */
  channelId?: string;
  /** For `onTranscriptData`: the whole line, times in Unix ms. */
  line?: TranscriptLine;
  /** For `onChatData`: the whole message, times in Unix ms. */
  message?: ChatMessage;
}

export function frameMetadata(frame: MediaFrame, aiInterpreter: AiInterpreter): Metadata {
  const { channelId, capturedAtMs, activeSpeaker } = frame;
  return {
    userName: activeSpeaker?.userName ?? frame.userName,
    userId: activeSpeaker?.userId ?? frame.userId ?? 0,
    startTs: capturedAtMs,
    endTs: capturedAtMs,
    aiInterpreter,
    ...(channelId !== undefined && { channelId }),
  };
}

export function transcriptMetadata(line: TranscriptLine): Metadata {
  const { userId = 0, userName, channelId, timestampMs, startMs, endMs } = line;
  return {
    userName,
    userId,
    startTs: startMs ?? timestampMs,
    endTs: endMs ?? timestampMs,
    aiInterpreter: noInterpreter(),
    ...(channelId !== undefined && { channelId }),
    line,
  };
}

export function chatMetadata(message: ChatMessage): Metadata {
  const { sender, timestampMs } = message;
  return {
    userName: sender?.userName ?? '',
    userId: sender?.userId ?? 0,
    startTs: timestampMs,
    endTs: timestampMs,
    aiInterpreter: noInterpreter(),
    message,
  };
}
