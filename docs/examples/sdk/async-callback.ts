/** A callback may take its time: the next frame of the same speaker waits, other speakers do not. */
import { setImmediate } from 'node:timers/promises';
import rtms from '../../../sdk/client/index.ts';

rtms.onWebhookEvent(({ event, payload }) => {
  if (!event.endsWith('rtms_started')) return;
  const client = new rtms.Client({ maxQueuedBytes: 4 * 1024 * 1024 });
  client.onTranscriptData(async (text, _size, _timestamp, { userName }) => {
    await setImmediate(); // a database, say
    if (`${text}`.startsWith('Line 2')) throw new Error('the database is away');
    console.log('saved', userName, `${text}`);
  });
  client.onError((error, callback) => console.log('failed', callback, String(error)));
  client.onDropped(({ callback, frames }) => console.log('too slow', callback, frames));
  client.join(payload);
});
await rtms.run();
