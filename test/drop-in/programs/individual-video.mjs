// Follows the camera of one participant from the moment it is told of them.
import rtms from 'rtms-kinesis';

rtms.onWebhookEvent(({ event, payload }) => {
  if (event !== 'meeting.rtms_started') return;
  const client = new rtms.Client();
  client.setVideoParams({
    contentType: rtms.VideoContentType.RAW_VIDEO,
    codec: rtms.VideoCodec.H264,
    resolution: rtms.VideoResolution.HD,
    dataOpt: rtms.VideoDataOption.VIDEO_MIXED_SPEAKER_VIEW,
    fps: 25,
  });
  client.onVideoData((data, size, timestamp, { userName }) => console.log(`video of ${userName}`));
  client.onVideoSubscribed((userId, status) => console.log(`subscribed ${userId} ${status}`));
  client.onUserUpdate((op, participant) => {
    if (op === rtms.USER_JOIN && participant?.userId === 16778240) {
      client.subscribeVideo(participant.userId, true);
    }
  });
  client.join(payload);
});
