// Collects arguments, clones them, and sends them on as JSON.
import rtms from 'rtms-kinesis';

rtms.onWebhookEvent((...args) => {
  const [{ event, payload }] = args;
  if (event !== 'meeting.rtms_started') return;
  console.log(`webhook ${args.length}`);
  const client = new rtms.Client();
  const told = new Set();
  for (const name of [
    'onJoinConfirm',
    'onSessionUpdate',
    'onUserUpdate',
    'onAudioData',
    'onVideoData',
    'onTranscriptData',
    'onParticipantEvent',
    'onActiveSpeakerEvent',
    'onParticipantVideo',
    'onEventEx',
    'onLeave',
  ]) {
    client[name]((...received) => {
      if (told.has(name)) return;
      told.add(name);
      const copy = structuredClone(received);
      const keys = received.map((one) =>
        typeof one === 'object' && !Buffer.isBuffer(one) && !Array.isArray(one)
          ? Object.keys(one).join()
          : typeof one,
      );
      console.log(
        `${name} ${copy.length} ${JSON.stringify(received).length > 0} ${keys.join(' ')}`,
      );
    });
  }
  client.join(payload);
});
