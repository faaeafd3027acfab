import { ServiceError } from '../shared/errors.ts';
import { isAllowedAddress, parseAllowedHosts } from '../shared/zoom/allowed-hosts.ts';
import type { StreamInfo } from '../simulator/account.ts';
import type { SimulatorEvent } from '../simulator/simulator.ts';
import { isLoopback } from './deployment/aws.ts';

/** What became of one simulated meeting: what the simulator sent of it, and what went wrong. */
export interface MeetingResult {
  readonly rtmsStreamId: string;
  readonly frames: number;
  readonly bytes: number;
  readonly lines: number;
  /** Absent when the deployment took the meeting, and it was played to its end. */
  readonly problem?: string;
}

interface Meeting {
  joined: boolean;
  refusedWith: number | undefined;
  sent: { frames: number; bytes: number; lines: number } | undefined;
}

/** Judges from the events of the simulator whether the deployment took and played each meeting. */
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

  /** The user has ended the simulation: a meeting that has not ended is no problem then. */
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

const LOOPBACK_SIGNALING = 'ws://127.0.0.1';

/**
 * Refuses a deployment that is not meant for simulations, before anything is sent to it: simulated meetings must not get
 * into a deployment that records real ones. One that is meant for them allow-lists the host of the simulator.
 *
 * @param publicSignalingUrl of a tunnel; undefined for the loopback address of the simulator
 * @throws ServiceError `cli/refused`
 */
export function checkTarget(
  webhookUrl: string,
  publicSignalingUrl: string | undefined,
  allowedHosts: string,
): void {
  if (publicSignalingUrl === undefined && !isLoopback(webhookUrl)) {
    throw new ServiceError(
      'cli/refused',
      `${webhookUrl} is not on this machine and could not reach the simulator: give --public-signaling-url and --public-media-url`,
    );
  }
  const signalingUrl = publicSignalingUrl ?? LOOPBACK_SIGNALING;
  if (isAllowedAddress(signalingUrl, parseAllowedHosts(allowedHosts))) return;
  const host = URL.parse(signalingUrl)?.hostname ?? signalingUrl;
  throw new ServiceError(
    'cli/refused',
    `the deployment allows ${allowedHosts} only, not the simulator's ${host}; on one made for tests add it to its allowed hosts`,
  );
}
