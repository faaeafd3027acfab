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
  // How fast and at what price is kinesis-clock.test.ts' to say: here it depends on the machine.
});
