import type { SyntheticMeetingEnv } from '../../shared/env.ts';
import { ServiceError } from '../../shared/errors.ts';

export interface SyntheticMeetingConfig {
  readonly deployment: string;
  readonly webhookUrl: string;
  readonly secretId: string;
  readonly mediaStream: string;
  readonly eventsStream: string;
  /** Host name under which runners reach this process. */
  readonly host: string;
  /** Address that this process listens on. */
  readonly bindHost: string;
  readonly signalingPort: number;
  readonly mediaPort: number;
  readonly meetingSeconds: number;
  readonly deadlineSeconds: number;
  /** 0: one meeting, then the process ends. */
  readonly intervalSeconds: number;
}

/** @throws ServiceError `config/invalid` naming everything that is missing or wrong at once */
export function readSyntheticMeetingConfig(
  environment: Readonly<Record<string, string | undefined>>,
): SyntheticMeetingConfig {
  const problems: string[] = [];
  const text = (name: keyof SyntheticMeetingEnv, fallback?: string): string => {
    const value = environment[name] || fallback;
    if (value === undefined) problems.push(`${name} is missing`);
    return value ?? '';
  };
  const number = (name: keyof SyntheticMeetingEnv, fallback: string, most: number): number => {
    const value = Number(text(name, fallback));
    if (!Number.isInteger(value) || value < 0 || value > most) {
      problems.push(`${name} must be a whole number from 0 to ${most}`);
    }
    return value;
  };
  const config: SyntheticMeetingConfig = {
    deployment: text('DEPLOYMENT'),
    webhookUrl: text('WEBHOOK_URL'),
    secretId: text('SYNTHETIC_SECRET_ID'),
    mediaStream: text('MEDIA_STREAM'),
    eventsStream: text('EVENTS_STREAM'),
    host: text('HOST'),
    bindHost: text('BIND_HOST', '0.0.0.0'),
    signalingPort: number('SIGNALING_PORT', '8081', 65_535),
    mediaPort: number('MEDIA_PORT', '8082', 65_535),
    meetingSeconds: number('MEETING_SECONDS', '20', 600),
    deadlineSeconds: number('DEADLINE_SECONDS', '60', 600),
    intervalSeconds: number('INTERVAL_SECONDS', '3600', 86_400),
  };
  if (problems.length > 0) {
    throw new ServiceError('config/invalid', problems.join('; '), { detail: { problems } });
  }
  return config;
}
