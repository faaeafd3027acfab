import { KinesisClient } from '@aws-sdk/client-kinesis';
import { TranscribeStreamingClient } from '@aws-sdk/client-transcribe-streaming';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { type SpeakerLane, speakers } from '../../../../sdk/consumer/index.ts';
import { connectDeepgram } from './deepgram.ts';
import { Positions } from './positions.ts';
import { recognise } from './recognise.ts';
import { type Heard, resultEvent, writeResults } from './results.ts';
import { connectTranscribe } from './transcribe.ts';
import { recogniseWithWhisper } from './whisper.ts';

/**
 * Everybody's speech as text: `node main.ts <media stream> <results stream> transcribe|deepgram|whisper`, until Ctrl-C. With
 * `EVENTS=<events stream>` lanes end when their speakers leave, and when the consent is taken back.
 */

const [media, results, recogniser] = process.argv.slice(2);
if (media === undefined || results === undefined || recogniser === undefined) {
  process.stderr.write(
    'usage: node main.ts <media stream> <results stream> transcribe|deepgram|whisper\n',
  );
  process.exit(2);
}

const {
  DEEPGRAM_URL = '',
  DEEPGRAM_API_KEY = '',
  WHISPER_URL = '',
  EVENTS,
  POSITIONS = 'positions.json',
} = process.env;
// With HTTP/1.1 it reads the local stack too (AWS_ENDPOINT_URL_KINESIS).
const client = new KinesisClient({ requestHandler: new NodeHttpHandler() });
const transcribe = new TranscribeStreamingClient();
const positions = await Positions.open(POSITIONS);

function listen(lane: SpeakerLane): Promise<void> {
  const onHeard = (heard: Heard) =>
    writeResults(client, results as string, [resultEvent(lane, recogniser as string, heard)]);
  const onDone = (atMs: number) => positions.done(lane, atMs);
  if (recogniser === 'whisper')
    return recogniseWithWhisper(lane, { url: WHISPER_URL, onHeard, onDone });
  const connect = () =>
    recogniser === 'deepgram'
      ? connectDeepgram(DEEPGRAM_URL, DEEPGRAM_API_KEY)
      : connectTranscribe(transcribe);
  return recognise(lane, { connect, onHeard, onDone });
}

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
// One odd record must not end the speech of all meetings.
const onBadRecord = ({ message }: Error) => void process.stderr.write(`skipped: ${message}\n`);
// Without positions it begins with what is said from now on.
const startAt = positions.all.length > 0 ? {} : ({ startAt: 'LATEST' } as const);
const reader = { client, signal: stop.signal, onBadRecord, ...startAt };
const options = {
  reader: { ...reader, streamName: media },
  ...(EVENTS && { events: { ...reader, streamName: EVENTS } }),
  resume: positions.all,
};
for await (const lane of speakers(options)) void follow(lane);

async function follow(lane: SpeakerLane): Promise<void> {
  try {
    await listen(lane);
    if (!stop.signal.aborted) await positions.left(lane);
    if (lane.ended === 'revoked')
      process.stderr.write(`${lane.rtmsStreamId}: consent revoked, its results must be deleted\n`);
  } catch (error) {
    // Ends the process, so that whoever started it starts it again: it resumes where it was.
    process.stderr.write(`${error}\n`);
    process.exit(1);
  }
}
