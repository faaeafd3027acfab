import type { Check } from './check.ts';

/** What only Zoom's own pages can show. */
export function scopesHint(): Check {
  return {
    name: 'Zoom app',
    status: 'hint',
    found:
      'scopes and event subscriptions cannot be seen from here; check them at marketplace.zoom.us',
    fix:
      'Meetings: meeting:read:meeting_audio, _video, _screenshare, _transcript, _chat; webinars: webinar:read:webinar_…\n' +
      'All: rtms:read:rtms_started, rtms_stopped, rtms_interrupted. Events: <product>.rtms_started, …_stopped, …_interrupted.\n' +
      'Zoom offers only media whose scope the app has. The whole list: docs/zoom-app.md',
  };
}
