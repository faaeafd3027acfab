/** Chat, which Zoom's SDK leaves out, with edits and deletions. */
import rtms from '../../../sdk/client/index.ts';

rtms.onWebhookEvent(({ event, payload }) => {
  if (!event.endsWith('rtms_started')) return;
  const client = new rtms.Client();
  client.onChatData((text, _size, _timestamp, { userName, message }) => {
    console.log(`${userName} (operation ${message?.operation}): ${text}`);
  });
  client.join(payload);
});
await rtms.run();
