import { describe, expect, test } from 'vitest';
import { type ConfigInput, readConfig } from './schema.ts';
import { STAGES } from './stages.ts';

describe('readConfig', () => {
  test('readConfig fills in every default', () => {
    expect(readConfig({})).toMatchObject({
      onDelete: 'retain',
      encryption: 'aws-managed',
      zoom: {
        allowedHosts: ['zoom.us', 'zoom.com', 'zoomgov.com'],
        maxClockSkewSeconds: 300,
        secretRefreshSeconds: 600,
        apiUrl: 'https://api.zoom.us/v2',
        oauthUrl: 'https://zoom.us/oauth/token',
        reconcile: 'off',
      },
      records: { capacity: { mode: 'on-demand' }, retentionHours: 24 },
      runner: { cpu: 1024, memoryMiB: 2048, capacity: 30, minTasks: 2 },
      network: { kind: 'public' },
    });
  });

  test('readConfig completes the media request with what Zoom offers', () => {
    const { media } = readConfig({
      zoom: { media: { video: false, audio: { codec: 'L16' } } },
    }).zoom;
    expect(media.video).toBe(false);
    expect(media.audio).toMatchObject({ codec: 'L16', sampleRate: 'SR_48K' });
    expect(media.transcript).toMatchObject({ enableLid: true });
  });

  test.each(Object.entries(STAGES))('readConfig accepts the stage %s', (_, stage) => {
    expect(() => readConfig(stage)).not.toThrow();
  });

  test.each<[string, unknown, string]>([
    ['an unknown key', { runer: {} }, 'runer'],
    ['a wrong type', { runner: { minTasks: 'two' } }, 'runner.minTasks'],
    [
      'no task and no catcher',
      { runner: { minTasks: 0 } },
      'runner.minTasks: 0; allowed is at least 1, or 0 with catcher',
    ],
    [
      'memory that Fargate does not offer',
      { runner: { memoryMiB: 1024 } },
      'runner.memoryMiB: 1024; allowed is 2048, 3072',
    ],
    ['a maximum below the minimum', { runner: { minTasks: 5, maxTasks: 3 } }, 'runner.maxTasks'],
    [
      'a digest that is not one',
      { runner: { baseImageDigest: 'latest' } },
      'runner.baseImageDigest',
    ],
    [
      'provisioned streams without meetings',
      { records: { capacity: { mode: 'provisioned' } } },
      'records.capacity.meetings',
    ],
    [
      'a codec that Zoom does not have',
      { zoom: { media: { audio: { codec: 'MP3' } } } },
      'zoom.media.audio.codec: "MP3"; allowed is L16, G711, G722, OPUS',
    ],
    ['a retention CloudWatch does not offer', { logRetentionDays: 8 }, 'logRetentionDays'],
    [
      'a missing subnet',
      { network: { kind: 'existing', vpcId: 'vpc-1', availabilityZones: ['a', 'b'] } },
      'network.subnetIds',
    ],
    ['a negative price', { prices: { natGb: -1 } }, 'prices.natGb'],
  ])('readConfig refuses %s and names the key', (_, input, named) => {
    expect(() => readConfig(input as ConfigInput)).toThrow(
      expect.objectContaining({ code: 'config/invalid', message: expect.stringContaining(named) }),
    );
  });

  test('readConfig names all wrong keys at once', () => {
    const wrong = { runner: { minTasks: 0 }, webhook: { burst: 0 } };
    expect(() => readConfig(wrong)).toThrow(/webhook\.burst: 0; .+\n.*runner\.minTasks: 0; /);
  });
});
