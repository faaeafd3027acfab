/** Who comes and goes, speaks, shares, and turns the camera on. */
import rtms from '../../../sdk/client/index.ts';

rtms.onWebhookEvent(({ event, payload }) => {
  if (!event.endsWith('rtms_started')) return;
  const client = new rtms.Client();
  client.onUserUpdate((op, { id, name }) => {
    console.log(op === rtms.USER_JOIN ? 'came' : 'went', id, name);
  });
  client.onParticipantEvent((what, _timestamp, participants) => {
    console.log(what, participants.length);
  });
  client.onActiveSpeakerEvent((_timestamp, _userId, userName) => console.log('speaks', userName));
  client.onSharingEvent((what, _timestamp, _userId, userName) => {
    console.log('share', what, userName ?? '');
  });
  client.onParticipantVideo((userIds, isOn) => console.log('camera', isOn, userIds.join()));
  client.onSessionUpdate((op, { sessionId, isActive }) => {
    console.log('session', op === rtms.SESSION_EVENT_ADD, isActive, sessionId);
  });
  client.onEventEx((json) => console.log('raw', json));
  client.join(payload);
});
await rtms.run();
