import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client } from '../../../sdk/client/client.ts';
import { configureLogger } from '../../../sdk/client/settings/logger.ts';
import { startCommand } from '../command.ts';
import { pythonPrograms } from '../installs.ts';
import type { Peer } from '../peer.ts';
import { sha256 } from '../user-records.ts';
import { playShapes } from './play-shapes.ts';

const SERVER = fileURLToPath(new URL('./mock_server.py', import.meta.url));
const MEETING = { uuid: '4444AAAiAAAAAiAiAiiAii==', stream: 'a-stream-of-the-mock' };
const APP = { client: 'mock-client', secret: 'mock-secret' };
const MEETING_ENDED = 6;
const WEBSOCKETS = '15.0.1';
const SOFTWARE =
  'a mock of Zoom in Python on `websockets` (PyPI), ours, written after the published descriptions';

const install = () => pythonPrograms('zoom-mock', [`websockets==${WEBSOCKETS}`]);

export const zoomMockPeer: Peer = {
  name: 'zoom-mock',
  needs: ['python'],
  install,
  async run({ scratch }) {
    const programs = await install();
    configureLogger({ enabled: false });
    const args = [SERVER, MEETING.uuid, MEETING.stream, APP.client, APP.secret];
    const server = startCommand(join(programs, 'python'), args);
    server.stderr.pipe(process.stderr);
    const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
    const address = String((await lines.next()).value);

    const got: string[] = [];
    const said: string[] = [];
    const client = new Client({ allowedHosts: '127.0.0.1' });
    const left = new Promise<number>((resolve) => client.onLeave(resolve));
    client.onAudioData((data, _size, _timestamp, { userName }) => {
      assert.equal(userName, 'Mia');
      got.push(sha256(data));
    });
    client.onTranscriptData((data) => void said.push(String(data)));
    client.join({
      meeting_uuid: MEETING.uuid,
      rtms_stream_id: MEETING.stream,
      server_urls: address,
      ...APP,
    });
    const reason = await left;
    const told = JSON.parse(String((await lines.next()).value));
    await once(server, 'close');

    assert.equal(reason, MEETING_ENDED);
    assert.deepEqual(got, told.sent, 'every frame, in order');
    assert.deepEqual(said, ['Hi, hello world!']);
    assert.equal(told.signatures, 1 + told.mediaTypes.length, 'signatures');
    assert.equal(told.ready, 1);
    assert.equal(told.keepAlives, 4);
    const shapes = await playShapes(join(programs, 'python'), scratch);
    return [
      {
        software: SOFTWARE,
        version: WEBSOCKETS,
        what: 'the client reads every message as the documents and the programs of others show it, in sessions (`test/fixtures/rtms/zoom-shapes.jsonl`)',
        figures: shapes,
      },
      {
        software: SOFTWARE,
        version: WEBSOCKETS,
        what: 'the client joins it; nothing of ours but this client takes part',
        figures: `${told.signatures} signatures, ${told.keepAlives} keep-alives, ${got.length} frames and ${said.length} line, all equal`,
      },
      {
        software: 'a mock of Zoom by others',
        version: '–',
        what: 'the client against it',
        figures: 'the lists of npm and PyPI have none',
        isProven: false,
      },
    ];
  },
};
