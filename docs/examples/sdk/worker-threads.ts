/** Work that computes, in threads: each speaker's frames in order, one at a time. */
import rtms from '../../../sdk/client/index.ts';

const executor = new rtms.Executor(new URL('./worker-threads.tasks.ts', import.meta.url), {
  threads: 2,
});

rtms.onWebhookEvent(({ event, payload }) => {
  if (!event.endsWith('rtms_started')) return;
  const client = new rtms.Client();
  client.onAudioData('fingerprint', (result, { userName }) => console.log(userName, result));
  client.join(payload);
});
await rtms.run({ executor });
await executor.close();
