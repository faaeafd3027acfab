import type { ArchiverEnv } from '../../shared/env.ts';
import { ServiceError } from '../../shared/errors.ts';

/** Pictures of `meeting.mp4`, or none of it. */
export const MEETING_FILES = ['none', 'speaker', 'share', 'tracks'] as const;

export interface ArchiverConfig {
  readonly deployment: string;
  readonly mediaStream: string;
  readonly eventsStream: string;
  /** Tables of the two consumer groups, and of the sessions. */
  readonly tables: { readonly media: string; readonly events: string; readonly sessions: string };
  readonly bucket: string;
  /** Empty, or ends with `/`. */
  readonly prefix: string;
  /** What is gathered and not in S3 yet; beyond it reading pauses. */
  readonly bufferBytes: number;
  /** An object is written at the latest after this time, ms, however few frames came. */
  readonly maxAgeMs: number;
  /** A session of which nothing came for this long is finalised without its end. */
  readonly idleMs: number;
  readonly meetingFile: (typeof MEETING_FILES)[number];
  /** Whether the objects of a session are deleted when Zoom takes the consent back. */
  readonly deletesRevoked: boolean;
  /** Object Lock in governance mode: the role may delete what it protects. */
  readonly bypassGovernance: boolean;
  readonly logLevel: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR';
}

const MIB = 1024 * 1024;

/** @throws ServiceError `config/invalid` naming everything that is missing or wrong at once */
export function readArchiverConfig(
  environment: Readonly<Record<string, string | undefined>>,
): ArchiverConfig {
  const problems: string[] = [];
  const text = (name: keyof ArchiverEnv, fallback?: string): string => {
    const value = environment[name] ?? fallback;
    if (value === undefined) problems.push(`${name} is missing`);
    return value ?? '';
  };
  const number = (name: keyof ArchiverEnv, least: number, most: number): number => {
    const value = Number(text(name));
    if (!(value >= least && value <= most))
      problems.push(`${name} must be a number from ${least} to ${most}`);
    return value;
  };
  const oneOf = <Word extends string>(name: keyof ArchiverEnv, words: readonly Word[]): Word => {
    const value = text(name);
    const word = words.find((known) => known === value);
    if (word === undefined) problems.push(`${name} must be one of ${words.join(', ')}`);
    return word ?? (words[0] as Word);
  };
  const config: ArchiverConfig = {
    deployment: text('DEPLOYMENT'),
    mediaStream: text('MEDIA_STREAM'),
    eventsStream: text('EVENTS_STREAM'),
    tables: {
      media: text('MEDIA_GROUP_TABLE'),
      events: text('EVENTS_GROUP_TABLE'),
      sessions: text('ARCHIVE_TABLE'),
    },
    bucket: text('ARCHIVE_BUCKET'),
    prefix: text('ARCHIVE_PREFIX', ''),
    bufferBytes: number('ARCHIVE_BUFFER_MIB', 1, 1_000_000) * MIB,
    maxAgeMs: number('ARCHIVE_MAX_AGE_SECONDS', 1, 3_600) * 1_000,
    idleMs: number('ARCHIVE_IDLE_SECONDS', 1, 7 * 86_400) * 1_000,
    meetingFile: oneOf('ARCHIVE_MEETING_FILE', MEETING_FILES),
    deletesRevoked: oneOf('ARCHIVE_ON_REVOCATION', ['delete', 'record']) === 'delete',
    bypassGovernance: oneOf('ARCHIVE_BYPASS_GOVERNANCE', ['no', 'yes']) === 'yes',
    logLevel: oneOf('LOG_LEVEL', ['INFO', 'DEBUG', 'WARN', 'ERROR']),
  };
  if (problems.length > 0) {
    throw new ServiceError('config/invalid', problems.join('; '), { detail: { problems } });
  }
  return config;
}
