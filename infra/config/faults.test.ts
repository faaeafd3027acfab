import { describe, expect, test } from 'vitest';
import { configKeys } from './keys.ts';
import { CONFIG, type ConfigInput, readConfig } from './schema.ts';

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

const MORNING = {
  name: 'Morning',
  minute: '45',
  hour: '7',
  weekDay: 'MON-FRI',
  timeZone: 'America/New_York',
  minTasks: 4,
};

const LEAVES = configKeys(CONFIG);
const names = LEAVES.map(({ path, beside }) => ({
  name: `${path.join('.')} ${Object.values(beside).join(' ')}`.trim(),
  path,
  beside,
}));

describe('a mistake in the configuration', () => {
  test('the walk of the schema finds more than 60 keys', () => {
    expect(LEAVES.length).toBeGreaterThan(60);
  });

  test.each(names)(
    'a mistake at $name is one line with key, value and what is allowed',
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
      'zoom.protocol.metting: no such key; zoom.protocol has meeting, webinar, ',
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
    [{ runner: [] }, 'runner: []; allowed is an object of cpu, memoryMiB, '],
    [[], 'config: []; allowed is an object of deployment, '],
    [{ tags: ['a'] }, 'tags: ["a"]; allowed is an object of text'],
    [{ tags: { 'aws:x': 'y' } }, 'tags.aws:x: "y"; allowed as a key is 1 to 128 letters'],
    [
      { network: { kind: 'private', natGateways: [2] } },
      'network.natGateways: [2]; allowed is a whole number from 1 to 3',
    ],
    [
      { zoom: { reconcile: 'restart' } },
      'zoom.reconcile: "restart"; allowed is "off", "report", "start"',
    ],
    [
      { zoom: { maxClockSkewSeconds: Number.NaN } },
      'zoom.maxClockSkewSeconds: NaN; allowed is a whole number',
    ],
    [
      { zoom: { allowedHosts: ['https://zoom.us'] } },
      'zoom.allowedHosts.0: "https://zoom.us"; allowed is a bare host name',
    ],
    [
      { zoom: { allowedHosts: ['zoom.us,zoom.com'] } },
      'zoom.allowedHosts.0: "zoom.us,zoom.com"; allowed is a bare host name',
    ],
    [
      { zoom: { media: { vidio: false } } },
      'zoom.media.vidio: no such key; zoom.media has audio, video, ',
    ],
    [
      { zoom: { media: { video: { folow: 1 } } } },
      'zoom.media.video.folow: no such key; zoom.media.video has codec, resolution, fps, dataOpt, follow, cameras',
    ],
    [
      {
        webhook: {
          cloudFront: {},
          domain: {
            name: 'a.example.com',
            certificateArn: 'arn:aws:acm:eu-west-1:1:certificate/c',
          },
        },
      },
      'webhook.domain.certificateArn: "arn:aws:acm:eu-west-1:1:certificate/c"; allowed behind CloudFront is a certificate in us-east-1',
    ],
    [
      { runner: { prewarm: [{ ...MORNING, minute: '60' }] } },
      'runner.prewarm.0.minute: "60"; allowed is 0 to 59',
    ],
    [
      { runner: { prewarm: [{ ...MORNING, hour: '7-' }] } },
      'runner.prewarm.0.hour: "7-"; allowed is 0 to 23',
    ],
    [
      { runner: { prewarm: [{ ...MORNING, weekDay: 'Monday' }] } },
      'runner.prewarm.0.weekDay: "Monday"; allowed is SUN to SAT',
    ],
    [
      { runner: { prewarm: [{ ...MORNING, timeZone: 'Mars/Olympus' }] } },
      'runner.prewarm.0.timeZone: "Mars/Olympus"; allowed is an IANA time zone',
    ],
    [{ runner: { prewarm: [MORNING, MORNING] } }, 'allowed is a different name in each entry'],
    [
      { runner: { prewarm: [{ ...MORNING, minTasks: 21 }] } },
      'allowed as minTasks is at most maxTasks, 20',
    ],
    [
      { runner: { packing: { from: '1:00', to: '05:00', timeZone: 'UTC' } } },
      'runner.packing.from: "1:00"; allowed is a time of day, 00:00 to 23:59',
    ],
    [
      { runner: { packing: { from: '01:00', to: '01:00', timeZone: 'UTC' } } },
      'runner.packing.to: "01:00"; allowed is another time than in from',
    ],
    [
      { runner: { headroomSlots: 601 } },
      'runner.headroomSlots: 601; allowed is at most the slots of maxTasks, 600',
    ],
    [
      { runner: { imageUri: 'r.example.com/a:1', baseImageDigest: `sha256:${'0'.repeat(64)}` } },
      'allowed only without imageUri',
    ],
    [
      {
        network: {
          kind: 'existing',
          vpcId: 'vpc-1',
          availabilityZones: ['a', 'b'],
          subnetIds: ['subnet-1', 'subnet-2', 'subnet-3'],
        },
      },
      'network.subnetIds: ["subnet-1","subnet-2","subnet-3"]; allowed is the same number of subnets in each of the 2 availabilityZones',
    ],
    [
      { zoom: { media: { video: { dataOpt: 'VIDEO_SINGLE_INDIVIDUAL_STREAM', cameras: 2 } } } },
      'zoom.media.video.cameras: 2; allowed is 1 where no product has protocol version 2',
    ],
    [
      { zoom: { media: { video: { dataOpt: 'VIDEO_SINGLE_INDIVIDUAL_STREAM', cameras: 5 } } } },
      'zoom.media.video.cameras: 5; allowed is 1 to 4',
    ],
  ])('%j says: %s', (input, expected) => {
    expect(messageOf(input)).toContain(expected);
  });
});
