import { expect, test } from 'vitest';
import { checkTarget } from './simulation.ts';

const LOCAL = 'http://127.0.0.1:8080/webhook';
const REMOTE = 'https://rtms.example.com/webhook';
const TUNNEL = 'wss://tunnel.example.com';

test.each<[string, string, string | undefined, string]>([
  ['this machine when it expects the simulator', LOCAL, undefined, '127.0.0.1'],
  ['another deployment when it expects the tunnel', REMOTE, TUNNEL, 'zoom.us,example.com'],
])('checkTarget allows %s', (_, url, tunnel, allowed) => {
  expect(() => checkTarget(url, tunnel, allowed)).not.toThrow();
});

test.each<[string, string, string | undefined, string, string]>([
  [
    'a deployment for Zoom alone',
    LOCAL,
    undefined,
    'zoom.us,zoom.com',
    "not the simulator's 127.0.0.1",
  ],
  [
    'a deployment elsewhere without a tunnel',
    REMOTE,
    undefined,
    '127.0.0.1',
    'is not on this machine',
  ],
  [
    'a deployment that does not allow the tunnel',
    REMOTE,
    TUNNEL,
    'zoom.us',
    "not the simulator's tunnel.example",
  ],
  ['a tunnel without TLS', REMOTE, 'ws://tunnel.example.com', 'tunnel.example.com', 'not the'],
])('checkTarget refuses %s', (_, url, tunnel, allowed, why) => {
  expect(() => checkTarget(url, tunnel, allowed)).toThrow(
    expect.objectContaining({ code: 'cli/refused', message: expect.stringContaining(why) }),
  );
});
