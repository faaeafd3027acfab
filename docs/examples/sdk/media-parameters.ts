/** What to ask Zoom for. The order of the calls does not matter; what is left out has a default. */
import rtms from '../../../sdk/client/index.ts';

rtms.onWebhookEvent(({ event, payload }) => {
  if (!event.endsWith('rtms_started')) return;
  const client = new rtms.Client();
  client.setAudioParams({
    codec: rtms.AudioCodec.L16,
    sampleRate: rtms.AudioSampleRate.SR_16K,
    channel: rtms.AudioChannel.MONO,
    dataOpt: rtms.AudioDataOption.AUDIO_MIXED_STREAM,
    duration: 100,
  });
  client.setVideoParams({
    codec: rtms.VideoCodec.JPG,
    resolution: rtms.VideoResolution.SD,
    fps: 5,
  });
  client.setDeskshareParams({ codec: rtms.VideoCodec.JPG, fps: 1 });
  client.setTranscriptParams({ srcLanguage: rtms.TranscriptLanguage.ENGLISH, enableLid: false });
  client.onAudioData((_buffer, size, _timestamp, metadata) => {
    console.log('audio', size, metadata.userName || 'nobody in particular');
  });
  client.onVideoData((_buffer, size) => console.log('video', size));
  client.onDeskshareData((_buffer, size) => console.log('share', size));
  client.onTranscriptData((text) => console.log('transcript', `${text}`));
  client.onJoinConfirm(() => console.log('effective', JSON.stringify(client.media)));
  client.join(payload);
});
await rtms.run();
