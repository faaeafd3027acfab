// CommonJS: one file of audio for each speaker, closed when the stream stops.
const { createWriteStream, mkdtempSync, statSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const rtms = require('rtms-kinesis').default;

const directory = mkdtempSync(join(tmpdir(), 'recorder-'));
const clients = new Map();

rtms.onWebhookEvent(({ event, payload }) => {
  const streamId = payload?.rtms_stream_id;
  if (event === 'meeting.rtms_stopped') {
    clients.get(streamId)?.leave();
    clients.delete(streamId);
    return;
  }
  if (event !== 'meeting.rtms_started') return;
  const client = new rtms.Client();
  clients.set(streamId, client);
  const files = new Map();
  client.setAudioParams({
    contentType: rtms.AudioContentType.RAW_AUDIO,
    codec: rtms.AudioCodec.L16,
    sampleRate: rtms.AudioSampleRate.SR_16K,
    channel: rtms.AudioChannel.MONO,
    dataOpt: rtms.AudioDataOption.AUDIO_MULTI_STREAMS,
    duration: 100,
    frameSize: 1600,
  });
  client.onAudioData((data, size, timestamp, { userId }) => {
    if (!files.has(userId)) files.set(userId, createWriteStream(join(directory, `${userId}.pcm`)));
    files.get(userId).write(data);
    console.log(`wrote ${size}`);
  });
  client.onLeave(async (reason) => {
    await Promise.all([...files.values()].map((file) => new Promise((done) => file.end(done))));
    const sizes = [...files.keys()].map((id) => statSync(join(directory, `${id}.pcm`)).size);
    rmSync(directory, { recursive: true });
    console.log(`closed ${reason} ${sizes.length} ${sizes.every((bytes) => bytes % 3200 === 0)}`);
    process.exit(0);
  });
  client.join(payload);
});
