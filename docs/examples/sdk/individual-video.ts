/** One participant's own video instead of the active speaker's. */
import rtms from '../../../sdk/client/index.ts';

rtms.onWebhookEvent(({ event, payload }) => {
  if (!event.endsWith('rtms_started')) return;
  const client = new rtms.Client();
  client.setVideoParams({ dataOpt: rtms.VideoDataOption.VIDEO_SINGLE_INDIVIDUAL_STREAM });
  client.onParticipantVideo((userIds, isOn) => {
    const [userId] = userIds;
    if (userId !== undefined) client.subscribeVideo(userId, isOn);
  });
  client.onVideoSubscribed((userId, status) => console.log('subscribed', userId, status));
  client.onVideoData((_buffer, _size, _timestamp, { userName }) => console.log('video', userName));
  client.join(payload);
});
await rtms.run();
