import type { SimulatorEvent, StreamInfo } from '../simulator/simulator.ts';

export interface MeetingResult {
  readonly rtmsStreamId: string;
  readonly frames: number;
  readonly bytes: number;
  readonly lines: number;
  /** Absent when the deployment took the meeting and it was played to its end. */
  readonly problem?: string;
}

interface Meeting {
  joined: boolean;
  refusedWith: number | undefined;
  sent: { frames: number; bytes: number; lines: number } | undefined;
}

/** Judges from what the simulator saw whether the deployment did its part. */
export class SimulatedMeetings {
  readonly #meetings = new Map<string, Meeting>();
  #wasInterrupted = false;

  see(event: SimulatorEvent): void {
    if (event.kind === 'stream_started') {
      const fresh = { joined: false, refusedWith: undefined, sent: undefined };
      this.#meetings.set(event.rtmsStreamId, fresh);
    } else if (event.kind === 'stream_stopped') {
      const { sources, transcript, chat } = event.sent;
      const lines = [...transcript, ...chat].filter(({ sent }) => sent).length;
      const sum = (of: 'frames' | 'bytes') => sources.reduce((total, row) => total + row[of], 0);
      const meeting = this.#meetings.get(event.rtmsStreamId);
      if (meeting) meeting.sent = { frames: sum('frames'), bytes: sum('bytes'), lines };
    } else {
      const { event: webhook, delivered, attempts } = event.delivery;
      const meeting = this.#meetings.get(String(webhook.payload['rtms_stream_id']));
      if (meeting && !delivered) meeting.refusedWith = attempts.at(-1)?.status ?? 0;
    }
  }

  look(streams: readonly Pick<StreamInfo, 'rtmsStreamId' | 'isConnected'>[]): void {
    for (const { rtmsStreamId, isConnected } of streams) {
      const meeting = this.#meetings.get(rtmsStreamId);
      if (meeting && isConnected) meeting.joined = true;
    }
  }

  /** The user has had enough: what did not end is no fault. */
  interrupted(): void {
    this.#wasInterrupted = true;
  }

  results(): MeetingResult[] {
    return [...this.#meetings].map(([rtmsStreamId, meeting]) => {
      const problem = this.#problemOf(meeting);
      const sent = meeting.sent ?? { frames: 0, bytes: 0, lines: 0 };
      return { rtmsStreamId, ...sent, ...(problem !== undefined && { problem }) };
    });
  }

  #problemOf({ joined, refusedWith, sent }: Meeting): string | undefined {
    if (refusedWith === 0) return 'the webhook did not answer';
    if (refusedWith !== undefined) return `the webhook refused it with ${refusedWith}`;
    if (this.#wasInterrupted && !sent) return undefined;
    return joined || (sent?.frames ?? 0) > 0 ? undefined : 'no runner joined it';
  }
}
