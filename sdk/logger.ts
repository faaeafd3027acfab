import { inspect } from 'node:util';
import type { LogFields, Logger } from '../shared/logger.ts';
import { printable } from '../shared/printable.ts';
import { environment } from './environment.ts';

export const LogLevel = { ERROR: 0, WARN: 1, INFO: 2, DEBUG: 3, TRACE: 4 } as const;
export const LogFormat = { PROGRESSIVE: 'progressive', JSON: 'json' } as const;

export type LogLevel = (typeof LogLevel)[keyof typeof LogLevel];
export type LogFormat = (typeof LogFormat)[keyof typeof LogFormat];

export interface LoggerConfig {
  /** The least important level that is written. @default ZM_RTMS_LOG_LEVEL, else INFO */
  readonly level: LogLevel;
  /** One readable line, or one JSON object a line. @default ZM_RTMS_LOG_FORMAT, else PROGRESSIVE */
  readonly format: LogFormat;
  /** @default ZM_RTMS_LOG_ENABLED, else true */
  readonly enabled: boolean;
}

let configured: Partial<LoggerConfig> = {};

/** Changes what the SDK logs, for the whole process; fields left out stay as they are. */
export function configureLogger(options: Partial<LoggerConfig>): void {
  configured = { ...configured, ...options };
}

/** Writes to standard error: standard output belongs to the program. */
export function createLogger(component: string, fixed: LogFields = {}): Logger {
  const write = (level: LogLevel) => (message: string, fields?: LogFields) => {
    const { enabled, format, level: limit } = currentConfig();
    if (!enabled || level > limit) return;
    const line = formatLine(format, level, component, message, { ...fixed, ...fields });
    process.stderr.write(`${line}\n`);
  };
  return {
    error: write(LogLevel.ERROR),
    warn: write(LogLevel.WARN),
    info: write(LogLevel.INFO),
    debug: write(LogLevel.DEBUG),
    child: (fields) => createLogger(component, { ...fixed, ...fields }),
  };
}

function currentConfig(): LoggerConfig {
  const level = environment('ZM_RTMS_LOG_LEVEL')?.toUpperCase() ?? '';
  const format = environment('ZM_RTMS_LOG_FORMAT')?.toLowerCase();
  return {
    level: LogLevel[level as keyof typeof LogLevel] ?? LogLevel.INFO,
    format: format === LogFormat.JSON ? LogFormat.JSON : LogFormat.PROGRESSIVE,
    enabled: environment('ZM_RTMS_LOG_ENABLED')?.toLowerCase() !== 'false',
    ...configured,
  };
}

/** Text that reads as one value. */
const PLAIN = /^[^\s="|]+$/;

const LEVEL_NAMES = Object.keys(LogLevel);

function formatLine(
  format: LogFormat,
  level: LogLevel,
  component: string,
  message: string,
  fields: LogFields,
): string {
  const timestamp = new Date().toISOString();
  const name = LEVEL_NAMES[level] ?? '';
  if (format === LogFormat.JSON) {
    const details = Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [key, plainError(value)]),
    );
    const line = { timestamp, level: name.toLowerCase(), component, message, details };
    // What JSON itself leaves as it is (line separators, marks of writing direction) becomes its escape.
    return printable(JSON.stringify(line));
  }
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  const details = entries.map(([key, value]) => ` ${key}=${shown(value)}`).join('');
  return `${component.padEnd(8)} | ${timestamp} | ${name.padEnd(5)} | ${message}${details}`;
}

function plainError(value: unknown): unknown {
  return value instanceof Error ? { name: value.name, message: value.message } : value;
}

/** A value of others never looks like another field or another line: it is quoted where it could. */
function shown(value: unknown): string {
  const text = value instanceof Error ? value.message : value;
  if (typeof text !== 'string') return printable(inspect(text, { breakLength: Infinity }));
  return printable(PLAIN.test(text) ? text : JSON.stringify(text));
}
