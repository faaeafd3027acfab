import type * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { CONFIG, type ConfigInput, readConfig } from './config.ts';

type Schema = v.GenericSchema & {
  readonly wrapped?: Schema;
  readonly entries?: Readonly<Record<string, Schema>>;
  readonly options?: readonly Schema[];
  readonly key?: string;
  readonly literal?: unknown;
};

interface Leaf {
  readonly path: readonly string[];
  /** What else must stand beside the key for it to be looked at: the discriminators on its way. */
  readonly beside: Readonly<Record<string, unknown>>;
}

/** Every key that can be written, by walking the schema itself: a new one is tested without a new row. */
function leavesOf(schema: Schema, path: readonly string[] = [], beside = {}): Leaf[] {
  if (schema.type === 'optional') return leavesOf(schema.wrapped as Schema, path, beside);
  if (schema.type === 'variant') {
    const key = schema.key as string;
    return (schema.options as readonly Schema[]).flatMap((option) =>
      leavesOf(option, path, {
        ...beside,
        [[...path, key].join('.')]: option.entries?.[key]?.literal,
      }),
    );
  }
  if (schema.entries !== undefined && path.join('.') !== 'zoom.media') {
    return Object.entries(schema.entries)
      .filter(([, below]) => below.type !== 'literal')
      .flatMap(([key, below]) => leavesOf(below, [...path, key], beside));
  }
  return [{ path, beside }];
}

function set(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key = '', ...rest] = path;
  if (rest.length === 0) {
    target[key] = value;
    return;
  }
  target[key] ??= {};
  set(target[key] as Record<string, unknown>, rest, value);
}

function messageOf(input: unknown): string {
  try {
    readConfig(input as ConfigInput);
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
}

const LEAVES = leavesOf(CONFIG as unknown as Schema);
const names = LEAVES.map(({ path, beside }) => ({
  name: `${path.join('.')} ${Object.values(beside).join(' ')}`.trim(),
  path,
  beside,
}));

describe('a mistake in the configuration', () => {
  test('is looked for at every key', () => {
    expect(LEAVES.length).toBeGreaterThan(60);
  });

  test.each(names)(
    'at $name is one line with key, value and what is allowed',
    ({ path, beside }) => {
      const wrong = { 'not this': [null] };
      const input: Record<string, unknown> = {};
      for (const [at, value] of Object.entries(beside)) set(input, at.split('.'), value);
      set(input, path, wrong);
      const line = messageOf(input)
        .split('\n')
        .map((text) => text.trim())
        .find((text) => text.replace('[config/invalid] ', '').startsWith(path.join('.')));
      expect(line).toMatch(
        /(\{"not this":\[null\]\}|missing|no such key|"[^"]*"|null|\[null\]); (allowed|zoom|\w+)/,
      );
      expect(line).toMatch(/allowed is .+| has .+/);
      expect(line).not.toMatch(/Invalid|Expected|undefined|object Object/);
    },
  );

  test.each([
    [{ runer: {} }, 'runer: no such key; config has deployment, '],
    [{ runner: { cpus: 1 } }, 'runner.cpus: no such key; runner has cpu, memoryMiB'],
    [{ runner: { cpu: 3 } }, 'runner.cpu: 3; allowed is 256, 512, 1024, 2048'],
    [
      { runner: { spoolGiB: 500 } },
      'runner.spoolGiB: 500; allowed is a whole number from 1 to 150',
    ],
    [{ webhook: { burst: 1.5 } }, 'webhook.burst: 1.5; allowed is a whole number of at least 1'],
    [{ records: { capacity: { mode: 'auto' } } }, 'records.capacity.mode: "auto"; allowed is '],
    [
      { records: { capacity: { mode: 'provisioned' } } },
      'records.capacity.meetings: missing; allowed is a whole number of at least 1',
    ],
    [
      { webhook: { domain: { name: 'x.example.com', certificateArn: 'cert' } } },
      'webhook.domain.certificateArn: "cert"; allowed is the ARN of an ACM certificate',
    ],
    [
      { monitoring: { pages: ['http://example.com'] } },
      'monitoring.pages.0: "http://example.com"; allowed is an e-mail address or an https:// address',
    ],
    [{ deployment: 'a b' }, 'deployment: "a b"; allowed is 1 to 64 letters, digits and hyphens'],
    [
      { runner: { minTasks: 5, maxTasks: 3 } },
      'runner.maxTasks: 3; allowed is at least minTasks, 5',
    ],
    [
      { zoom: { media: { audio: { codec: 'MP3' } } } },
      'zoom.media.audio.codec: "MP3"; allowed is L16, G711, G722, OPUS',
    ],
    [
      { zoom: { protocol: { metting: {} } } },
      'zoom.protocol.metting: {}; allowed is meeting, webinar, ',
    ],
    [
      { zoom: { protocol: { meeting: { format: 'PROTOBUF' } } } },
      'zoom.protocol.meeting.format: "PROTOBUF"; allowed is JSON',
    ],
    [
      { zoom: { protocol: { meeting: { events: { hold: 'hold' } } } } },
      'zoom.protocol.meeting.events: {"hold":"hold"}; allowed as a key is a number',
    ],
    [
      { zoom: { protocol: { phone: { events: { 8001: 'Hold!' } } } } },
      'zoom.protocol.phone.events.8001: "Hold!"; allowed is a name in snake_case',
    ],
  ])('%j says: %s', (input, expected) => {
    expect(messageOf(input)).toContain(expected);
  });
});
