// The functions of the module itself, for one stream, as in the first releases of Zoom's SDK.
import rtms from 'rtms-kinesis';

rtms.onJoinConfirm((reason) => console.log(`confirmed ${reason}`));
rtms.onAudioData((data, size, timestamp, metadata) => console.log(`audio of ${metadata.userName}`));
rtms.onWebhookEvent(({ event, payload }) => {
  if (event === 'meeting.rtms_started') rtms.join(payload);
});
