import { existsSync } from 'node:fs';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { MeetingExport } from '../../sdk/consumer/export/meeting.ts';
import { MixReader } from '../../sdk/consumer/export/meeting-file/mix-reader.ts';
import { loadAccessUnits } from '../../simulator/media/assets.ts';
import { audioFrame } from '../../simulator/media/audio-source.ts';
import { WIRE_DEFAULTS } from '../../simulator/media/media-params.ts';
import type { ScenarioParticipant } from '../../simulator/scenario/scenario.ts';
import { frame, START_MS } from '../support/test-records.ts';

/** Where Linux lists what a process has open, and a disk that is always full. */
const OPEN_FILES = '/proc/self/fd';
const FULL_DISK = '/dev/full';

const CAMERA = loadAccessUnits('camera/ben.h264');
const OPUS = { ...WIRE_DEFAULTS.audio, codec: 4 };
const sentence = {
  audio: { kind: 'clips', clips: [{ startMs: 0, file: 'speech/01' }] },
} as unknown as ScenarioParticipant;

// The encoder is hidden from Node, so nothing may have loaded it before: this file needs a process of its own, which tests of
// sdk/consumer do not have.
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'rtms-wrong-ends-'));
});
afterAll(() => rm(root, { recursive: true }));

let restore: () => void = () => undefined;
afterEach(() => {
  restore();
  // A package that was not found would stay so.
  vi.resetModules();
});

/** Twelve seconds of a camera, L16 and Opus: more than what is gathered before the first write. */
async function begin(directory: string): Promise<MeetingExport> {
  const meeting = await MeetingExport.create(directory, { startMs: START_MS, layout: 'speaker' });
  const at = (ms: number) => ({ capturedAtMs: START_MS + ms, receivedAtMs: START_MS + ms });
  for (let index = 0; index < 180; index++) {
    const payload = CAMERA[index % CAMERA.length] as Buffer;
    const picture = { mediaType: 2, codec: 7, payload, sequence: index + 1 };
    await meeting.frame(frame({ ...picture, ...at(index * 66) }));
  }
  for (let index = 0; index < 100; index++) {
    const sequence = index + 1;
    await meeting.frame(frame({ sequence, ...at(index * 20) }));
    const payload = audioFrame(sentence, index * 20, OPUS) as Buffer;
    const opus = { userId: 8, codec: 4, sampleRateHz: 48_000, channels: 2, payload, sequence };
    await meeting.frame(frame({ ...opus, ...at(index * 20) }));
  }
  return meeting;
}

async function openIn(directory: string): Promise<string[]> {
  const targets = (await readdir(OPEN_FILES)).map((fd) =>
    readlink(join(OPEN_FILES, fd)).catch(() => ''),
  );
  const open = await Promise.all(targets);
  return open.filter((path) => path.startsWith(directory) || path === FULL_DISK);
}

/** Node finds the package no more, as where it was not installed. */
function uninstall(name: string): void {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (!specifier.includes(name)) return next(specifier, context);
      throw Object.assign(new Error(`Cannot find ${name}`), { code: 'ERR_MODULE_NOT_FOUND' });
    },
  });
  restore = () => hooks.deregister();
}

describe.skipIf(!existsSync(FULL_DISK))('meeting.mp4 cannot be written', () => {
  test.each([
    {
      when: 'the encoder is not installed',
      code: 'export/unsupported',
      why: 'the AAC encoder cannot be loaded: is @mediabunny/aac-encoder installed?',
      prepare: async () => uninstall('@mediabunny/aac-encoder'),
    },
    {
      when: 'the disk becomes full',
      code: 'ENOSPC',
      why: 'no space is left where it is written (ENOSPC)',
      prepare: (directory: string) => symlink(FULL_DISK, join(directory, 'meeting.mp4.partial')),
    },
    {
      when: 'a folder has its temporary name',
      code: 'EISDIR',
      why: 'a folder has its name (EISDIR)',
      prepare: (directory: string) => mkdir(join(directory, 'meeting.mp4.partial')),
    },
    {
      when: 'a folder has its name',
      code: 'ERR_FS_EISDIR',
      why: 'a folder has its name (ERR_FS_EISDIR)',
      prepare: (directory: string) => mkdir(join(directory, 'meeting.mp4')),
    },
  ])('$when: the export says why, has all other files, and keeps none open', async (wrong) => {
    const directory = join(root, wrong.when.replaceAll(' ', '-'));
    const meeting = await begin(directory);
    await wrong.prepare(directory);
    const names = (await meeting.close()).map((path) => path.slice(directory.length + 1));
    expect(names).toEqual([
      'audio-7-ada.wav',
      'audio-8-ada.ogg',
      'manifest.json',
      'meeting.mkv',
      'meeting.wav',
      'participants.json',
      'video-7-ada.mp4',
    ]);
    const manifest = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'));
    const { code, why } = wrong;
    expect(manifest.leftOut).toEqual([
      { mediaType: 'video', file: 'meeting.mp4', code, why, count: 1 },
    ]);
    expect(manifest).not.toHaveProperty('meeting');
    expect(meeting.notes()).toContain(
      `meeting.mp4 was not written: ${why}; the files of the single sources are there`,
    );
    // The library closes its files without telling when that is done.
    await expect.poll(() => openIn(directory), { timeout: 3_000 }).toEqual([]);
  });
});

test.skipIf(!existsSync(OPEN_FILES))(
  'a file that is no sound is named and not kept open',
  async () => {
    const directory = join(root, 'no-sound');
    await mkdir(directory);
    const paths = ['a.ogg', 'b.wav'].map((name) => join(directory, name));
    for (const path of paths) await writeFile(path, 'this is no sound');
    const mix = await MixReader.open(paths.map((path) => ({ path, speaker: 'user 7' })));
    expect(mix.unread).toEqual(paths.map((path) => ({ path })));
    await expect.poll(() => openIn(directory), { timeout: 3_000 }).toEqual([]);
  },
);
