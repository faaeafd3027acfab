import type { EventEmitter } from 'node:events';
import type { RtmsJoin } from '../../rtms/connection/handshake-signer.ts';
import type { RtmsClientOptions } from '../../rtms/connection/options.ts';
import type { RtmsClientEvents } from '../../rtms/events.ts';
import type { AgreedMedia } from '../../rtms/protocol/agreed-media.ts';
import type { HandshakeCredentials } from '../../rtms/protocol/client-messages.ts';
import type { MediaRequest } from '../../rtms/protocol/params.ts';
import type { Product } from '../../rtms/protocol/product.ts';
import type { ProtocolRequest } from '../../rtms/protocol/protocol-settings.ts';
import type { SocketFollower } from '../../rtms/wire/standstills.ts';
import type { Logger } from '../../shared/logger.ts';
import type { CounterMetrics } from '../../shared/metrics.ts';
import type { TakeoverCause } from '../../shared/record/session-causes.ts';
import type { EndedReason } from '../../shared/session-table/registers.ts';
import type { RestartRegister } from '../../shared/session-table/restart.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import type { AllowedHosts } from '../../shared/zoom/allowed-hosts.ts';
import type { Sink } from '../kinesis/unit.ts';
import type { DrainDeadline } from '../task/drain-deadline.ts';
import type { LoopUse } from './loop-share.ts';
import type { PreviousOwner } from './recording/blind-time.ts';
import type { FrameUnits } from './recording/source-writer.ts';

/** What a session needs of an RTMS client. `RtmsClient` is one; the tests of a session bring their own. */
export interface SessionClient extends EventEmitter<RtmsClientEvents> {
  readonly state: string;
  readonly media: AgreedMedia;
  join(join: RtmsJoin): void;
  reconnect(cause: string, serverUrls?: readonly string[]): void;
  leave(options?: { readonly closeStream?: boolean }): Promise<void>;
  subscribeVideo(userId: number, on: boolean): void;
}

/** What all sessions of one task share. */
export interface SessionContext {
  readonly taskId: string;
  readonly mediaRequest: MediaRequest;
  /** How to speak with each product. @default version 1, JSON over WebSocket */
  readonly protocol?: ProtocolRequest;
  readonly allowedHosts: AllowedHosts;
  readonly credentials: (app: string, product: Product) => Promise<HandshakeCredentials>;
  /** Reads the credentials again, after Zoom refused a signature made with the last ones. */
  readonly renewedCredentials: (app: string, product: Product) => Promise<HandshakeCredentials>;
  readonly media: Sink;
  readonly events: Sink;
  readonly units: FrameUnits;
  /** Record limit of the media stream, partition key included. */
  readonly maxRecordBytes: number;
  /** Record limit of the events stream, partition key included. */
  readonly maxLineBytes: number;
  /** Reads a stream's row as it is now. @default the row is known only as it was claimed */
  readonly row?: (rtmsStreamId: string) => Promise<SessionRow | undefined>;
  /** What all sessions of the task use of the event loop. @default no session is limited */
  readonly loopUse?: LoopUse;
  /** Since when a connection that is found broken may have been gone. @default the process never stands still */
  readonly standstills?: SocketFollower;
  /** Asks Zoom again for streams that it ended for a technical reason. @default nobody asks */
  readonly restarts?: SessionRestarts;
  /** When the sessions of a task that ends stop waiting for Kinesis and the table. */
  readonly deadline: DrainDeadline;
  /** @default the real one, `RtmsClient` */
  readonly createClient?: (options: RtmsClientOptions) => SessionClient;
  readonly logger: Logger;
  readonly metrics: CounterMetrics;
}

/** What sessions and claims have to do with restarts; `Restarts` is one. */
export interface SessionRestarts {
  /** What the row of a run that has just ended says about a restart; undefined for one that nobody wants again. */
  plan(row: SessionRow, reason: EndedReason): RestartRegister | undefined;
  /** A row says now that a restart is wanted. */
  wanted(rtmsStreamId: string): void;
  /** The row of the stream that a stream continues; undefined for none, and when that cannot be read. */
  continuedBy(started: SessionRow): Promise<SessionRow | undefined>;
  /** The stream is continued by another one: nothing is to be asked any more. */
  resumed(rtmsStreamId: string): Promise<void>;
}

/** A row just claimed. */
export interface ClaimedRow {
  readonly row: SessionRow;
  readonly epoch: number;
  /** Why there was an epoch before this one; undefined for the first. */
  readonly cause: TakeoverCause | undefined;
  /** What was known of the owner before, when there was one. */
  readonly previous?: PreviousOwner;
  /** May this claim still be served? Depends on the heartbeat; asked for every frame. */
  readonly holds: () => boolean;
  /** Was it given to this task by another one that could serve it, and may it go back? @default false */
  readonly mayHandBack?: boolean;
  /** Is it unknown at the moment whether the row is still this task's? @default never */
  readonly isSuspended?: () => boolean;
}
