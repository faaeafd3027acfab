import { expect, test } from 'vitest';
import { liveMeetingsRequest, pathSegment, statusRequest } from './routes.ts';

test.each([
  ['meeting', 'PATCH', '/live_meetings/abc%3D%3D/rtms_app/status'],
  ['webinar', 'PATCH', '/live_meetings/abc%3D%3D/rtms_app/status'],
  ['session', 'PATCH', '/videosdk/sessions/abc%3D%3D/rtms_app/status'],
  ['contact_center', 'PUT', '/contact_center/abc%3D%3D/rtms_app/status'],
  ['phone', 'PATCH', '/phone/calls/abc%3D%3D/rtms_app/status'],
] as const)('a %s has its route', (product, method, path) => {
  expect(statusRequest(product, 'abc==', 'start', 'client')).toEqual({
    method,
    path,
    body: { action: 'start', settings: { client_id: 'client' } },
  });
});

test.each([
  ['86012345678', '86012345678'],
  ['4444AAAiAAAAAiAiAiiAii==', '4444AAAiAAAAAiAiAiiAii%3D%3D'],
  ['a/b==', 'a%2Fb%3D%3D'],
  ['/ab==', '%252Fab%253D%253D'],
  ['a//b==', 'a%252F%252Fb%253D%253D'],
  ['..', '%252E%252E'],
  ['a?b#c', 'a%3Fb%23c'],
])('the id %s is one segment', (id, segment) => {
  expect(pathSegment(id)).toBe(segment);
});

test('pages of live meetings', () => {
  expect(liveMeetingsRequest('meetings', undefined).path).toBe(
    '/metrics/meetings?type=live&page_size=300',
  );
  expect(liveMeetingsRequest('webinars', 'a/b').path).toBe(
    '/metrics/webinars?type=live&page_size=300&next_page_token=a%2Fb',
  );
});
