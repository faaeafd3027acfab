// Joins first, and says what it wants after that, some of it only when it is in.
import rtms from 'rtms-kinesis';

rtms.onWebhookEvent(({ event, payload }) => {
  if (event !== 'meeting.rtms_started') return;
  const client = new rtms.Client();
  client.join(payload);
  client.setAudioParams({ codec: rtms.AudioCodec.L16, sampleRate: rtms.AudioSampleRate.SR_16K });
  client.onAudioData((data, size, timestamp, { userName }) => console.log(`audio of ${userName}`));
  client.onJoinConfirm(() => {
    client.onTranscriptData((data) => console.log(`heard ${data}`));
  });
});
