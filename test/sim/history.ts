/**
 * What a run of the simulation records: one array of plain events, in the order in which they happened. The judges
 * (`judge/`) take it as their only input, so that a planted violation is a few lines of a test.
 *
 * Every event has `step`, which grows by at least one from event to event, and `atMs`, true virtual Unix ms (no process's
 * own clock, which may drift). `process` names one life of one process, such as `runner-3/1` (its second life is
 * `runner-3/2`), `catcher-1/4` for an execution of the catcher, or `webhook-1/1`.
 */
export interface Happened {
  readonly step: number;
  readonly atMs: number;
}

/** What became of a process. */
export interface ProcessEvent extends Happened {
  readonly kind: 'process';
  readonly process: string;
  /**
   * `frozen` and `thawed` enclose a span in which nothing of it ran. After `killed`, `exited` or `crashed` nothing of it
   * happens any more. `draining` is SIGTERM, or an execution of the catcher that begins to leave.
   */
  readonly what:
    | 'started'
    | 'ready'
    | 'frozen'
    | 'thawed'
    | 'draining'
    | 'killed'
    | 'exited'
    | 'crashed';
  /** With `exited`. */
  readonly code?: number;
}

/** A row of the session table, as its attributes stand there; undefined where there is none. */
export type RowImage = Readonly<Record<string, unknown>> | undefined;

/** What a write or delete asked of the table, as the client sent it, with plain values as in `RowImage`. */
export interface RowCommand {
  readonly condition?: string;
  /** Of a write; a delete has none. */
  readonly update?: string;
  readonly names?: Readonly<Record<string, string>>;
  readonly values?: Readonly<Record<string, unknown>>;
}

/**
 * One operation on one row. It has up to three events: `invoked` by the process, `applied` in the table (at most once), and
 * `answered` or `failed` at the process (at most one). A call whose answer is lost is applied and never answered; one
 * that fails before it reaches the table is never applied.
 */
export interface RowEvent extends Happened {
  readonly kind: 'row';
  readonly process: string;
  /** The same for the events of one operation; unique in the run. */
  readonly call: number;
  /** `pk` of the row: `SESSION#…` or `TASK#…`. */
  readonly row: string;
  readonly op: 'read' | 'write' | 'delete';
  readonly phase: 'invoked' | 'applied' | 'answered' | 'failed';
  /** With `invoked` of a write or delete. The judge of rows applies it again, by its own reading of the expressions. */
  readonly command?: RowCommand;
  /** With `applied` and `answered` of a write or delete: whether its condition was met. */
  readonly met?: boolean;
  /** With `applied` of a write or delete: the row before and after; the same where the condition was not met. */
  readonly before?: RowImage;
  readonly after?: RowImage;
  /** With `applied` and `answered` of a read: what was read. With `answered` of a write: what the service returned of it. */
  readonly image?: RowImage;
  /** A read that may be stale (an eventually consistent read or a query of an index). It is no evidence for the newest. */
  readonly stale?: boolean;
  /** With `failed`: the name of the error, as the process saw it. */
  readonly error?: string;
}

/** One Kinesis record that the service has stored, whether or not the writer was told. */
export interface RecordEvent extends Happened {
  readonly kind: 'record';
  /** The process whose call it was. */
  readonly process: string;
  readonly stream: 'media' | 'events';
  readonly shard: string;
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  /** When the call left the process, true virtual ms: right after the fence was asked for the last time. */
  readonly sentAtMs: number;
  /** `sentAtMs` as a step. */
  readonly sentAtStep: number;
  /** User records in it, in order. */
  readonly units: readonly WrittenUnit[];
  /** The bytes of the record, for the consumer's own decoders; a planted history may do without. */
  readonly data?: Uint8Array;
  /** The call was answered with this entry written; false where the answer was lost or never came. */
  readonly told: boolean;
}

/** One user record: a media frame or a chunk of one, or an event line. */
export interface WrittenUnit {
  readonly rtmsStreamId: string;
  readonly epoch: number;
  readonly sequence: number;
  /** `audio`, `video`, `deskshare`, or the CloudEvents type of a line without its prefix. */
  readonly type: string;
  /** Of a frame: participant or channel. */
  readonly source?: string;
  /** Of a frame: Zoom's time, Unix ms. */
  readonly capturedAtMs?: number;
  readonly chunkIndex?: number;
  readonly chunkCount?: number;
  /** Read back from a disk. */
  readonly recovered?: boolean;
  /** Of an event line: its data. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A frame of the simulated Zoom: handed to a socket, or kept back for good. */
export interface FrameEvent extends Happened {
  readonly kind: 'frame';
  readonly rtmsStreamId: string;
  readonly mediaType: 'audio' | 'video' | 'deskshare';
  /** Participant or channel. */
  readonly source: string;
  readonly capturedAtMs: number;
  /** The socket it was written to; absent for a frame that was never sent. */
  readonly socket?: number;
  /** Why it was never sent: it lay in Zoom's buffer beyond its window, or Zoom does not keep it. */
  readonly notSent?: 'buffer_full' | 'buffer_declined' | 'not_connected' | 'paused';
}

/** A line of the transcript that the simulated Zoom handed to a socket, or had nobody to send to. */
export interface LineEvent extends Happened {
  readonly kind: 'line';
  readonly rtmsStreamId: string;
  /** Who spoke. */
  readonly source: string;
  /** No other line of the stream has it. */
  readonly text: string;
  /** When the words ended, Unix ms. */
  readonly capturedAtMs: number;
  /** The socket it was written to; absent for a line that was never sent: Zoom keeps none. */
  readonly socket?: number;
}

/** A WebSocket between a process and the simulated Zoom. */
export interface SocketEvent extends Happened {
  readonly kind: 'socket';
  readonly socket: number;
  readonly process: string;
  readonly rtmsStreamId: string;
  readonly role: 'signaling' | 'media';
  /** `lost`: a message that was on its way when the connection broke. `ended` is the process's own end of it. */
  readonly what: 'dialled' | 'opened' | 'black_hole' | 'broken' | 'ended';
  /** With `broken`: messages that Zoom had sent and that will never be read. */
  readonly lostMessages?: number;
}

/** What happens to a stream at the simulated Zoom. */
export interface StreamEvent extends Happened {
  readonly kind: 'stream';
  readonly rtmsStreamId: string;
  readonly entityId: string;
  readonly what: 'started' | 'interrupted' | 'failed_over' | 'stopped';
  /** Of the first stream of an entity absent; otherwise the stream before it. */
  readonly continues?: string;
  /** With `stopped`: Zoom's number, and whether a restart may be asked for. */
  readonly stopReason?: number;
}

/** A webhook as it was delivered once; Zoom may deliver it again. */
export interface WebhookEvent extends Happened {
  readonly kind: 'webhook';
  readonly rtmsStreamId: string;
  readonly event: string;
  /** Undefined: no answer in time. */
  readonly status: number | undefined;
}

/** A call of Zoom's REST API that asks for another stream of a meeting. */
export interface RestartEvent extends Happened {
  readonly kind: 'restart';
  readonly process: string;
  readonly entityId: string;
  readonly status: number;
  /** The stream that came of it. */
  readonly rtmsStreamId?: string;
}

/** A fault as it was injected. `fault` is a name of the list in `faults.ts`, `words` says it in plain English. */
export interface FaultEvent extends Happened {
  readonly kind: 'fault';
  readonly fault: string;
  readonly process?: string;
  readonly words: string;
}

/**
 * What a live process holds, taken at the end of the run, some minutes after all meetings have ended, and once before the
 * first meeting. Judges compare the two.
 */
export interface HeldEvent extends Happened {
  readonly kind: 'held';
  readonly process: string;
  readonly when: 'before' | 'after';
  readonly sessions: number;
  readonly timers: number;
  readonly sockets: number;
  /** AWS calls without an answer; long polls are not counted. */
  readonly calls: number;
  readonly bufferedBytes: number;
  readonly spoolBytes: number;
}

/** The table and its index, some minutes after all meetings have ended. */
export interface TableEvent extends Happened {
  readonly kind: 'table';
  readonly rows: readonly RowImage[];
  /** What the index holds: `pk` and owner of each row. */
  readonly indexed: readonly { readonly pk: string; readonly owner: string }[];
  /** Tasks that run. */
  readonly tasks: readonly string[];
}

/** The run is over: all meetings have ended and `afterMs` have passed. */
export interface EndEvent extends Happened {
  readonly kind: 'end';
  readonly seed: number;
}

export type HistoryEvent =
  | ProcessEvent
  | RowEvent
  | RecordEvent
  | FrameEvent
  | LineEvent
  | SocketEvent
  | StreamEvent
  | WebhookEvent
  | RestartEvent
  | FaultEvent
  | HeldEvent
  | TableEvent
  | EndEvent;

/** A violation that a judge has found. */
export interface Problem {
  /** Which judge, as a word: `row`, `lane`, `liveness`, `leak`, `frames`, `blind`, `drain`, `restart`, `reclaim`, `dial`, `ending`, `verdict`, `rest`. */
  readonly judge: string;
  /** The step at which it became visible. */
  readonly step: number;
  /** One plain sentence with the names of what it is about. */
  readonly words: string;
}
