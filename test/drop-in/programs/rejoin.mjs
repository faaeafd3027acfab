// Its own webhook server; every start, a repeated one too, replaces the client of the stream.
import { createServer } from 'node:http';
import rtms from 'rtms-kinesis';

const clients = new Map();
let number = 0;

function start(payload) {
  clients.get(payload.rtms_stream_id)?.leave();
  const client = new rtms.Client();
  number += 1;
  const mine = number;
  clients.set(payload.rtms_stream_id, client);
  client.onJoinConfirm((reason) => console.log(`confirmed ${mine} ${reason}`));
  client.onLeave((reason) => console.log(`left ${mine} ${reason}`));
  let frames = 0;
  client.onAudioData(() => {
    frames += 1;
    if (frames === 1) console.log(`audio ${mine}`);
  });
  client.join(payload);
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  response.end('{}');
  const { event, payload } = JSON.parse(Buffer.concat(chunks).toString());
  if (event.endsWith('rtms_started')) start(payload);
});
server.listen(0, () => console.log(`listening on port ${server.address().port}`));
