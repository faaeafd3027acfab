import type { ChatMessage, MediaFrame, TranscriptLine } from '../runner/rtms/events.ts';
import type { AiInterpreter } from './ai-interpreter.ts';

/** Who and when, beside every payload. */
export interface Metadata {
  /** The participant; 0 for mixed audio while nobody is known to speak, and for a channel. Never -1. */
  readonly userId: number;
  /** From the message or the roster; of mixed audio the active speaker's; empty when Zoom gave none. */
  readonly userName: string;
  /** Contact Center and Phone name channels instead of participants. */
  readonly channelId?: string;
  /** Capture time, Unix ms; of a transcript line when its words began. */
  readonly startTs: number;
  /** The same as `startTs`, but of a transcript line when its words ended. */
  readonly endTs: number;
  /** The interpretation this audio belongs to, where Zoom announced one. */
  readonly aiInterpreter?: AiInterpreter;
}

export function frameMetadata(
  frame: MediaFrame,
  aiInterpreter: AiInterpreter | undefined,
): Metadata {
  const { channelId, capturedAtMs, activeSpeaker } = frame;
  return {
    userId: activeSpeaker?.userId ?? frame.userId ?? 0,
    userName: activeSpeaker?.userName ?? frame.userName,
    ...(channelId !== undefined && { channelId }),
    startTs: capturedAtMs,
    endTs: capturedAtMs,
    ...(aiInterpreter !== undefined && { aiInterpreter }),
  };
}

export function transcriptMetadata(line: TranscriptLine): Metadata {
  const { userId = 0, userName, channelId, timestampMs, startMs, endMs } = line;
  return {
    userId,
    userName,
    ...(channelId !== undefined && { channelId }),
    startTs: startMs ?? timestampMs,
    endTs: endMs ?? timestampMs,
  };
}

export function chatMetadata({ sender, timestampMs }: ChatMessage): Metadata {
  return {
    userId: sender?.userId ?? 0,
    userName: sender?.userName ?? '',
    startTs: timestampMs,
    endTs: timestampMs,
  };
}
