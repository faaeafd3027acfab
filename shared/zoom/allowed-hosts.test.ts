import { describe, expect, test } from 'vitest';
import { DEFAULT_ALLOWED_HOSTS, isAllowedAddress, parseAllowedHosts } from './allowed-hosts.ts';

describe('allowed hosts', () => {
  const zoom = parseAllowedHosts(DEFAULT_ALLOWED_HOSTS);

  test.each([
    'wss://zoom.us',
    'wss://rtms-sjc1.zoom.us:443',
    'wss://a.b.zoom.us:8443/path?x=1',
    'wss://RTMS.ZOOM.US',
    'wss://x.zoomgov.com',
  ])('lets %s through', (address) => {
    expect(isAllowedAddress(address, zoom)).toBe(true);
  });

  test.each([
    ['another host', 'wss://evil.example'],
    ['a host that merely ends like one', 'wss://evilzoom.us'],
    ['a host that merely starts like one', 'wss://zoom.us.evil.example'],
    ['user info that looks like one', 'wss://zoom.us@evil.example'],
    ['any user info', 'wss://user:secret@zoom.us'],
    ['a backslash before the real host', 'wss://evil.example\\@zoom.us'],
    ['a percent-encoded dot', 'wss://zoom.us%2eevil.example'],
    ['plain WebSocket', 'ws://zoom.us'],
    ['another scheme', 'https://zoom.us'],
    ['loopback', 'wss://127.0.0.1:443'],
    ['the metadata address', 'wss://169.254.169.254'],
    ['loopback written as a number', 'wss://2130706433'],
    ['loopback in IPv6', 'wss://[::1]'],
    ['no address', 'zoom.us'],
    ['nothing', ''],
  ])('refuses %s', (_what, address) => {
    expect(isAllowedAddress(address, zoom)).toBe(false);
  });

  test('lets plain WebSocket through for loopback hosts on the list, and for no other', () => {
    const allowed = parseAllowedHosts('127.0.0.1, localhost, [::1], example.test');
    expect(isAllowedAddress('ws://127.0.0.1:9000/x', allowed)).toBe(true);
    expect(isAllowedAddress('ws://localhost:9000', allowed)).toBe(true);
    expect(isAllowedAddress('ws://[::1]:9000', allowed)).toBe(true);
    expect(isAllowedAddress('ws://example.test', allowed)).toBe(false);
    expect(isAllowedAddress('wss://example.test', allowed)).toBe(true);
    expect(isAllowedAddress('ws://127.0.0.2:9000', allowed)).toBe(false);
  });

  test('lets plain WebSocket through for exactly the host that is named with ws://', () => {
    const allowed = parseAllowedHosts('zoom.us, ws://zoom.rtms.internal');
    expect(isAllowedAddress('ws://zoom.rtms.internal:8081/a/1', allowed)).toBe(true);
    expect(isAllowedAddress('ws://sub.zoom.rtms.internal:8081', allowed)).toBe(false);
    expect(isAllowedAddress('wss://zoom.rtms.internal', allowed)).toBe(false);
    expect(isAllowedAddress('ws://user@zoom.rtms.internal', allowed)).toBe(false);
    expect(isAllowedAddress('ws://zoom.us', allowed)).toBe(false);
  });

  test('ignores case, spaces and empty entries in the list', () => {
    expect(parseAllowedHosts(' Zoom.US ,,zoomgov.com,')).toEqual(['zoom.us', 'zoomgov.com']);
  });

  test.each(['', ' , ', 'wss://zoom.us', '*.zoom.us/x', 'zoom.us:443', 'a b', 'zoom.us/path'])(
    'refuses the list "%s"',
    (csv) => {
      expect(() => parseAllowedHosts(csv)).toThrow(
        expect.objectContaining({ code: 'config/invalid' }),
      );
    },
  );
});
