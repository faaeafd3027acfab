import { marshall } from '@aws-sdk/util-dynamodb';
import {
  type OperatorRequest,
  writeOperatorRequest,
} from '../../shared/session-table/operator-writes.ts';
import { type SessionRow, sessionKey } from '../../shared/session-table/session-row.ts';
import type { TargetParts } from './targets.ts';
import { Machine } from './world/machine.ts';
import { world } from './world/world.ts';

type Random = () => number;

/** The stop of an operator and the move by Zoom come within this time: the owner looks at its rows every 2 s. */
const MEETING_MS = 4_000;

/** People who ask for things by the command line, which writes them into the rows. */
export class Operators {
  readonly #parts: TargetParts;
  readonly #machine: Machine;

  constructor(parts: TargetParts) {
    this.#parts = parts;
    this.#machine = new Machine(parts.scheduler, { name: 'operator/1', seed: 0, environment: {} });
  }

  /** Asks the owner of a stream to end it, or to give it to another runner. */
  ask(random: Random, request: OperatorRequest): string | undefined {
    const row = this.#owned(random);
    if (row === undefined) return undefined;
    this.#write(row, request);
    return `an operator asks ${row.owner} for ${request} of ${row.rtmsStreamId}`;
  }

  /**
   * An operator stops a stream while Zoom moves it to other servers: the owner ends the run that it has served, and a newer
   * one has begun. Kinesis is slow, so that the end takes some seconds, and nobody looks at the newer start meanwhile.
   */
  stopMeetsStart(random: Random): string | undefined {
    const { scheduler, weather, zoom } = this.#parts;
    const row = this.#owned(random);
    if (row === undefined) return undefined;
    const { rtmsStreamId } = row;
    const gapMs = Math.floor(random() * MEETING_MS);
    zoom.act((simulator) =>
      simulator.act(rtmsStreamId, { do: 'failover', gapMs, oldSockets: 'cut' }),
    );
    const outageMs = MEETING_MS + random() * 2 * MEETING_MS;
    weather.kinesisDownUntilMs = Math.max(weather.kinesisDownUntilMs, scheduler.nowMs + outageMs);
    this.#write(row, 'stop');
    return `an operator asks ${row.owner} for the stop of ${rtmsStreamId}, Zoom moves it after ${gapMs} ms, and Kinesis takes nothing for ${Math.round(outageMs)} ms`;
  }

  /** The row of a stream that Zoom streams and somebody owns. */
  #owned(random: Random): SessionRow | undefined {
    const { zoom, services } = this.#parts;
    const rows = services.table.rows();
    const owned = zoom.simulator
      .streams()
      .filter(({ state }) => state !== 'TERMINATED')
      .map(({ rtmsStreamId }) => rows.get(sessionKey(rtmsStreamId)) as SessionRow | undefined)
      .filter((row) => row?.owner?.startsWith('task-'));
    return owned[Math.floor(random() * owned.length)];
  }

  #write(seen: SessionRow, request: OperatorRequest): void {
    const write = writeOperatorRequest(seen, request);
    const { Key, ExpressionAttributeValues } = write;
    const input = {
      ...write,
      TableName: 'sessions',
      Key: marshall(Key),
      ExpressionAttributeValues: marshall(ExpressionAttributeValues),
    };
    world().aws.send(this.#machine, 'DynamoDB_20120810.UpdateItem', input, {
      answer() {},
      failed() {},
    });
  }
}
