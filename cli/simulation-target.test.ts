import { describe, expect, it } from 'vitest';
import { checkTarget } from './simulation-target.ts';

const LOCAL = 'http://127.0.0.1:8080/webhook';
const REMOTE = 'https://rtms.example.com/webhook';
const TUNNEL = 'wss://tunnel.example.com';

describe('checkTarget', () => {
  it.each<[string, string, string | undefined, string]>([
    ['this machine, which expects the simulator', LOCAL, undefined, '127.0.0.1'],
    ['another deployment, which expects the tunnel', REMOTE, TUNNEL, 'zoom.us,example.com'],
  ])('lets %s be simulated against', (_, url, tunnel, allowed) => {
    expect(() => checkTarget(url, tunnel, allowed)).not.toThrow();
  });

  it.each<[string, string, string | undefined, string, string]>([
    ['one for Zoom alone', LOCAL, undefined, 'zoom.us,zoom.com', "not the simulator's 127.0.0.1"],
    ['one elsewhere, without a tunnel', REMOTE, undefined, '127.0.0.1', 'is not on this machine'],
    ['one that knows no tunnel', REMOTE, TUNNEL, 'zoom.us', "not the simulator's tunnel.example"],
    ['a tunnel without TLS', REMOTE, 'ws://tunnel.example.com', 'tunnel.example.com', 'not the'],
  ])('refuses %s', (_, url, tunnel, allowed, why) => {
    expect(() => checkTarget(url, tunnel, allowed)).toThrow(
      expect.objectContaining({ code: 'cli/refused', message: expect.stringContaining(why) }),
    );
  });
});
