/**
 * Everything about Zoom that its documents leave open, or that a test wants otherwise. Durations are
 * milliseconds of the simulator's clock.
 */
export interface Behaviour {
  /** Bad signature or unknown stream: message 2 with its status, or the bare close seen live. */
  readonly badSignature: 'status' | 'close';
  /** A second signaling connection: refused with status 8, or it takes the stream from the first. */
  readonly duplicateSignaling: 'refuse' | 'kick';
  /**
   * Names in message 2. `documented`: as Zoom's published answers have them, `audio`, `video`, `transcript` and
   * `all`, for Contact Center and Phone `audio` and `all`. `every`: one for each granted media type too.
   * `sharescreen`: every, the share under the name that Zoom's JS manager looks for. `all`: that one only.
   */
  readonly mediaUrls: 'documented' | 'every' | 'sharescreen' | 'all';
  /** A split address takes any granted bits (Zoom's Contact Center sample asks for 32 on `audio`), or its own only. */
  readonly splitAddress: 'any_bits' | 'own_bit';
  /** Whether a connection on `all` with bits of its own may stand beside split ones. */
  readonly allBesideSplit: 'accept' | 'refuse';
  /** Opcode of everything the servers send. */
  readonly frames: 'text' | 'binary';
  readonly keepAliveMs: number;
  /** Unanswered keep-alives that break a connection. */
  readonly keepAliveMisses: number;
  /** Ask only on sockets that were silent for `keepAliveMs`. */
  readonly keepAliveOnlyWhenIdle: boolean;
  /** Milliseconds, or nanoseconds: an int64 that no double holds. */
  readonly keepAliveUnit: 'ms' | 'ns';
  /** From `rtms_started` to the first signaling handshake. */
  readonly connectWindowMs: number;
  /** From opening a socket to its handshake. */
  readonly handshakeWindowMs: number;
  readonly signalingWindowMs: number;
  readonly mediaWindowMs: number;
  /** How much audio is kept while no client takes it. */
  readonly audioBufferMs: number;
  /** `strict`: refuse what the parameter page excludes. `lenient`: RTP with L16 passes, fps falls back. */
  readonly mediaParams: 'strict' | 'lenient';
  readonly transcriptTimeUnit: 'ms' | 'us';
  readonly chatShape: 'direct' | 'nested';
  readonly participantInfoKey: 'participant_info' | 'paticipant_info';
  /** Mixed audio goes on through silence. */
  readonly mixedAudioSilence: boolean;
  readonly namesOnLeave: boolean;
  /** Where message 8 puts the stop reason. */
  readonly streamReasonKey: 'reason' | 'stop_reason';
  /** Where message 9 does: Zoom's example and table disagree. */
  readonly sessionReasonKey: 'reason' | 'stop_reason';
  readonly webhookShape: 'flat' | 'nested';
  /** Adds the fields of May 2026 to started webhooks. */
  readonly webhookExtended: boolean;
}

/** Zoom as its documents, samples and managers show it (2026-11-27). What they leave open has its first value. */
export const DOCUMENTED_BEHAVIOUR: Behaviour = {
  badSignature: 'status',
  duplicateSignaling: 'refuse',
  mediaUrls: 'documented',
  splitAddress: 'any_bits',
  allBesideSplit: 'accept',
  frames: 'text',
  keepAliveMs: 10_000,
  keepAliveMisses: 3,
  keepAliveOnlyWhenIdle: false,
  keepAliveUnit: 'ms',
  connectWindowMs: 60_000,
  handshakeWindowMs: 30_000,
  signalingWindowMs: 60_000,
  mediaWindowMs: 65_000,
  audioBufferMs: 60_000,
  mediaParams: 'strict',
  transcriptTimeUnit: 'ms',
  chatShape: 'direct',
  participantInfoKey: 'participant_info',
  mixedAudioSilence: false,
  namesOnLeave: false,
  streamReasonKey: 'reason',
  sessionReasonKey: 'stop_reason',
  webhookShape: 'flat',
  webhookExtended: false,
};
