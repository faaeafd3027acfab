/** The program of Zoom's quickstart: prints the transcript of every meeting. */
import rtms from '../../../sdk/client/index.ts';

const clients = new Map();

rtms.onWebhookEvent(({ event, payload }) => {
  const streamId = payload.rtms_stream_id;
  if (event === 'meeting.rtms_stopped') {
    clients.get(streamId)?.leave();
    clients.delete(streamId);
    return;
  }
  if (event !== 'meeting.rtms_started') return;

  const client = new rtms.Client();
  clients.set(streamId, client);
  client.onTranscriptData((data, _size, timestamp, metadata) => {
    console.log(`[${timestamp}] -- ${metadata.userName}: ${data}`);
  });
  client.join(payload);
});
