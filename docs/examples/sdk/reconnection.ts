/** Reconnecting needs nothing; who wants to know of it can. */
import rtms from '../../../sdk/client/index.ts';

rtms.onWebhookEvent(({ event, payload }) => {
  if (!event.endsWith('rtms_started')) return;
  const client = new rtms.Client();
  client.onAudioData(() => {});
  client.onInterrupted(({ scope, cause }) => console.log('interrupted', scope, cause));
  client.onReconnected(({ scope, attempt }) => console.log('reconnected', scope, attempt));
  client.onGap(({ mediaType, fromMs, toMs }) => console.log('gap', mediaType, toMs - fromMs));
  let mayRestart = false;
  client.onEnded(({ restartable }) => {
    mayRestart = restartable;
  });
  client.onLeave((reason) => console.log('left', reason, mayRestart));
  client.join(payload);
});
await rtms.run();
