/** Joins one stream whose ids are known, and ends with it. */
import { Client, run } from '../../../sdk/client/index.ts';

const { MEETING_UUID, RTMS_STREAM_ID, SERVER_URLS } = process.env;

await using client = new Client();
let bytes = 0;
client.onAudioData((_buffer, size) => {
  bytes += size;
});
client.onJoinConfirm((reason) => console.log('joined', reason));
client.onLeave((reason) => console.log('left', reason, bytes > 0 ? 'with audio' : 'in silence'));
client.join({
  meeting_uuid: MEETING_UUID ?? '',
  rtms_stream_id: RTMS_STREAM_ID ?? '',
  server_urls: SERVER_URLS ?? '',
});
await run({ stopOnEmpty: true });
