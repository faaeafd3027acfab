import { completeMediaRequest } from '../../../rtms/protocol/params.ts';
import type { SessionContext } from '../../../runner/session/context.ts';
import { FrameUnits } from '../../../runner/session/recording/source-writer.ts';
import { DrainDeadline } from '../../../runner/task/drain-deadline.ts';
import type { LogFields, Logger } from '../../../shared/logger.ts';
import { MemoryPool } from '../../../shared/memory-pool.ts';
import type { CounterMetrics } from '../../../shared/metrics.ts';
import { MemoryClient } from './memory-client.ts';
import { MemorySink } from './memory-sink.ts';

/** Everything that was logged, and everything that was counted. */
export class Told {
  readonly lines: { readonly level: string; readonly fields: LogFields }[] = [];
  readonly counts: string[] = [];

  readonly logger: Logger = {
    debug: (_text, fields) => this.#note('debug', fields),
    info: (_text, fields) => this.#note('info', fields),
    warn: (_text, fields) => this.#note('warn', fields),
    error: (_text, fields) => this.#note('error', fields),
    child: () => this.logger,
  };

  /** Counts are noted as `Name` or `Name/dimension`; those of single frames are not. */
  readonly metrics: CounterMetrics = {
    count: (name, _value, by) => this.counts.push(by === undefined ? name : `${name}/${by}`),
    observe: (name) => this.counts.push(name),
    counter: () => ({ add() {} }),
  };

  /** The `event` codes of all lines, in order. */
  get events(): unknown[] {
    return this.lines.map(({ fields }) => fields['event']);
  }

  #note(level: string, fields: LogFields = {}): void {
    this.lines.push({ level, fields });
  }
}

/** What the sessions of one task share, all in memory: one client for each session, in the order of connecting. */
export class SessionParts {
  readonly media = new MemorySink();
  readonly events = new MemorySink();
  readonly told = new Told();
  readonly clients: MemoryClient[] = [];
  readonly deadline = new DrainDeadline({ flushMs: 1_000, exitMs: 60_000, secondExitMs: 60_000 });

  context(fields: Partial<SessionContext> = {}): SessionContext {
    const { logger, metrics } = this.told;
    const credentials = async () => ({ clientId: 'id', clientSecret: 'secret' });
    return {
      taskId: 'here',
      mediaRequest: completeMediaRequest({ video: false, deskshare: false }),
      allowedHosts: ['zoom.us'],
      credentials,
      renewedCredentials: credentials,
      media: this.media,
      events: this.events,
      units: new FrameUnits(new MemoryPool()),
      maxRecordBytes: 1024 * 1024,
      maxLineBytes: 1024 * 1024,
      deadline: this.deadline,
      createClient: () => {
        const client = new MemoryClient();
        this.clients.push(client);
        return client;
      },
      logger,
      metrics,
      ...fields,
    };
  }

  /** Names of the events written so far, without `rtms.` and version. */
  get eventNames(): string[] {
    return this.events.lines.map(({ type }) => type.split('.')[1] ?? '');
  }
}
