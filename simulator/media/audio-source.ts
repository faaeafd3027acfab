import { MEDIA_PAYLOAD_TYPE as CODEC } from '../../rtms/protocol/constants.ts';
import type { AudioTrack, ScenarioParticipant } from '../scenario/scenario.ts';
import { loadAsset, loadOpusPackets } from './assets.ts';
import type { SimulatedAudioParams } from './media-params.ts';
import { syntheticFrame } from './synthetic-frame.ts';

/** Clips are 16 kHz mono, 16 bit: 32 bytes a millisecond. */
const CLIP_BYTES_PER_MS = 32;
const SAMPLES_PER_MS = [8, 16, 32, 48] as const;
const NO_MAGIC = Buffer.alloc(0);
const CLICK_MS = 10;

/**
 * What one participant says in `[offsetMs, offsetMs + send_rate)`, in the codec that was asked for. A pure function
 * of time, so that a client that comes late gets the same frames.
 *
 * L16 and G.711 are made from the clip, and Opus comes from its `.ogg`. Any other codec has synthetic frames.
 *
 * @returns undefined while the participant is silent
 */
export function audioFrame(
  participant: ScenarioParticipant,
  offsetMs: number,
  params: SimulatedAudioParams,
): Buffer | undefined {
  const track = participant.audio;
  if (track === undefined || !isTalking(track, offsetMs, params.send_rate)) return undefined;
  if (track.kind === 'synthetic') {
    return syntheticAudio(participant.userId, offsetMs, params, track.frameBytes);
  }
  if (params.codec === CODEC.OPUS && track.kind === 'clips') return opusPacket(track, offsetMs);
  if (!isPcmBased(params)) return syntheticAudio(participant.userId, offsetMs, params);
  return encodePcm(clipPcm(track, offsetMs, params.send_rate), params);
}

/**
 * The mix of all talkers. In a codec without PCM, which cannot be added up, it is the first talker's frame.
 *
 * @param throughSilence whether there is digital silence when nobody talks, if the codec allows it
 */
export function mixedAudioFrame(
  participants: readonly ScenarioParticipant[],
  offsetMs: number,
  params: SimulatedAudioParams,
  throughSilence: boolean,
): Buffer | undefined {
  const talking = participants.filter(
    ({ audio }) => audio !== undefined && isTalking(audio, offsetMs, params.send_rate),
  );
  if (talking.length === 0 && !throughSilence) return undefined;
  if (talking.some(({ audio }) => audio?.kind === 'synthetic')) {
    return syntheticAudio(0, offsetMs, params);
  }
  const [first] = talking;
  if (!isPcmBased(params)) return first && audioFrame(first, offsetMs, params);
  const sum = new Int16Array((params.send_rate * CLIP_BYTES_PER_MS) / 2);
  for (const { audio } of talking) {
    const samples = clipPcm(audio as ClipTrack, offsetMs, params.send_rate);
    samples.forEach((sample, i) => {
      sum[i] = Math.max(-32768, Math.min(32767, (sum[i] ?? 0) + sample));
    });
  }
  return encodePcm(sum, params);
}

type ClipTrack = Exclude<AudioTrack, { kind: 'synthetic' }>;

function isTalking(track: AudioTrack, offsetMs: number, durationMs: number): boolean {
  switch (track.kind) {
    case 'clips':
      return track.clips.some(
        ({ startMs, file }) =>
          startMs < offsetMs + durationMs && offsetMs < startMs + clipDurationMs(file),
      );
    case 'clicks':
      return true;
    case 'synthetic':
      return (offsetMs + track.phaseMs) % (track.talkMs + track.pauseMs) < track.talkMs;
  }
}

function clipDurationMs(file: string): number {
  return loadAsset(`${file}.pcm`).length / CLIP_BYTES_PER_MS;
}

/** 16 kHz mono samples of an interval; zero where no clip is. */
function clipPcm(track: ClipTrack, offsetMs: number, durationMs: number): Int16Array {
  const bytes = Buffer.alloc(durationMs * CLIP_BYTES_PER_MS);
  if (track.kind === 'clicks') {
    const sinceClickMs = offsetMs % track.everyMs;
    for (let ms = 0; ms < durationMs; ms++) {
      if ((sinceClickMs + ms) % track.everyMs >= CLICK_MS) continue;
      for (let i = 0; i < 16; i++) bytes.writeInt16LE(i < 8 ? 20_000 : -20_000, (ms * 16 + i) * 2);
    }
  } else {
    for (const { startMs, file } of track.clips) {
      const clip = loadAsset(`${file}.pcm`);
      const from = (offsetMs - startMs) * CLIP_BYTES_PER_MS;
      if (from >= clip.length || -from >= bytes.length) continue;
      clip.copy(bytes, Math.max(0, -from), Math.max(0, from), Math.max(0, from + bytes.length));
    }
  }
  return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
}

function opusPacket(track: Extract<AudioTrack, { kind: 'clips' }>, offsetMs: number) {
  const clip = track.clips.find(
    ({ startMs, file }) => startMs <= offsetMs && offsetMs < startMs + clipDurationMs(file),
  );
  return clip && loadOpusPackets(`${clip.file}.ogg`)[Math.floor((offsetMs - clip.startMs) / 20)];
}

function isPcmBased(params: SimulatedAudioParams): boolean {
  return params.codec === CODEC.L16 || params.codec === CODEC.G711;
}

function samplesPerMs(params: SimulatedAudioParams): number {
  return SAMPLES_PER_MS[params.sample_rate] ?? 16;
}

function encodePcm(samples: Int16Array, params: SimulatedAudioParams): Buffer {
  const ratio = samplesPerMs(params) / 16;
  const count = Math.floor(samples.length * ratio);
  if (params.codec === CODEC.G711) {
    return Buffer.from(Array.from({ length: count }, (_, i) => aLaw(samples[i / ratio] ?? 0)));
  }
  const bytes = Buffer.alloc(count * params.channel * 2);
  for (let i = 0; i < count; i++) {
    const sample = samples[Math.floor(i / ratio)] ?? 0;
    for (let channel = 0; channel < params.channel; channel++) {
      bytes.writeInt16LE(sample, (i * params.channel + channel) * 2);
    }
  }
  return bytes;
}

/** One A-law byte. @see ITU-T G.711: sign, three bits of segment, four of mantissa, even bits inverted */
export function aLaw(sample: number): number {
  const sign = sample >= 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), 32_635) >> 4;
  const segment = magnitude < 16 ? 0 : 28 - Math.clz32(magnitude);
  const mantissa = segment < 2 ? magnitude & 15 : (magnitude >> (segment - 1)) & 15;
  return (sign | (segment << 4) | mantissa) ^ 0x55;
}

function syntheticAudio(
  source: number,
  offsetMs: number,
  params: SimulatedAudioParams,
  frameBytes = syntheticBytes(params),
): Buffer {
  const durationMs = params.send_rate;
  return syntheticFrame({ source, offsetMs, durationMs }, NO_MAGIC, frameBytes);
}

/** Sizes of real frames; 120 bytes of Opus are 48 kbit/s. */
function syntheticBytes(params: SimulatedAudioParams): number {
  if (params.codec === CODEC.L16) {
    return params.send_rate * samplesPerMs(params) * params.channel * 2;
  }
  return params.codec === CODEC.OPUS ? 120 : 160;
}
