import { expect, test } from 'vitest';
import { runKinesisOutage } from './kinesis-outage.ts';

test('an outage costs video that is declared, no audio, no line, no order', async () => {
  const report = await runKinesisOutage({ outageSeconds: 3, phaseSeconds: 1.5, seed: 6 });
  const nothingWrong = { outOfOrder: [], missing: 0, declaredButThere: 0 };
  expect(report).toMatchObject({
    audioLost: 0,
    eventsLost: 0,
    media: nothingWrong,
    events: nothingWrong,
  });
  expect(report.videoLost).toBeGreaterThan(0);
  // Far from what the long run must reach: only a defect is that slow or that costly.
  expect(report.slowestCatchUpRate).toBeGreaterThan(0.3);
  expect(report.healthyLatencyMs).toBeLessThan(20 * report.calmLatencyMs);
  expect(report.oneByOnePutUnitsPerMeetingHour).toBeGreaterThan(3 * report.putUnitsPerMeetingHour);
});
