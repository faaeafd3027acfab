import { inspect } from 'node:util';
import type { WireMessageListener } from '../../../rtms/connection/options.ts';
import { MESSAGE_TYPE, nameOf } from '../../../rtms/protocol/constants.ts';
import { ServiceError } from '../../../shared/errors.ts';
import type { LogFields, Logger } from '../../../shared/logger.ts';
import { printable } from '../../../shared/plain-text.ts';
import { environment } from './environment.ts';

/** Levels of the log, the most important first. */
export const LogLevel = { ERROR: 0, WARN: 1, INFO: 2, DEBUG: 3, TRACE: 4 } as const;
/** Forms of a line of the log. */
export const LogFormat = { PROGRESSIVE: 'progressive', JSON: 'json' } as const;

/** Any number, as TypeScript's numeric enums allow: programs written for Zoom's SDK compile with it. */
export type LogLevel = number;
export type LogFormat = (typeof LogFormat)[keyof typeof LogFormat];

/** What the SDK logs, to standard error. */
export interface LoggerConfig {
  /** The least important level that is written. @default ZM_RTMS_LOG_LEVEL, else INFO */
  level: LogLevel;
  /** One readable line, or one JSON object a line. @default ZM_RTMS_LOG_FORMAT, else PROGRESSIVE */
  format: LogFormat;
  /** @default ZM_RTMS_LOG_ENABLED, else true */
  enabled: boolean;
}

let configured: Partial<LoggerConfig> = {};

/**
 * Changes what the SDK logs, for the whole process; fields left out stay as they are.
 *
 * @throws ServiceError `rtms/invalid-params` for an unknown level or format, also for `undefined`, which is what a
 *   constant with a typing error in its name gives
 */
export function configureLogger(options: Partial<LoggerConfig>): void {
  assertConstant(options, 'level', LogLevel);
  assertConstant(options, 'format', LogFormat);
  configured = { ...configured, ...options };
}

function assertConstant(
  options: Partial<LoggerConfig>,
  field: 'level' | 'format',
  table: Readonly<Record<string, string | number>>,
): void {
  const value = options[field];
  if (!Object.hasOwn(options, field) || Object.values(table).includes(value ?? '')) return;
  const allowed = Object.keys(table);
  throw new ServiceError('rtms/invalid-params', `${field} is ${value}, allowed: ${allowed}`, {
    detail: { field, value: String(value), allowed },
  });
}

/** A logger with the fifth level of Zoom's SDK, `trace`. */
export interface SdkLogger extends Logger {
  trace(message: string, fields?: LogFields): void;
  child(fields: LogFields): SdkLogger;
}

/** Logs to standard error, because standard output belongs to the program. */
export function createSdkLogger(component: string, fixed: LogFields = {}): SdkLogger {
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
    trace: write(LogLevel.TRACE),
    child: (fields) => createSdkLogger(component, { ...fixed, ...fields }),
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

/** Text that needs no quotes to be read as one value. */
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
    // JSON leaves line separators and marks of writing direction as they are: a terminal would obey them.
    return printable(JSON.stringify(line));
  }
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  const details = entries.map(([key, value]) => ` ${key}=${shown(value)}`).join('');
  return `${component.padEnd(8)} | ${timestamp} | ${name.padEnd(5)} | ${message}${details}`;
}

function plainError(value: unknown): unknown {
  return value instanceof Error ? { name: value.name, message: value.message } : value;
}

/** Quotes a value that could be read as another field or another line: names and errors come from others. */
function shown(value: unknown): string {
  const text = value instanceof Error ? value.message : value;
  if (typeof text !== 'string') return printable(inspect(text, { breakLength: Infinity }));
  return printable(PLAIN.test(text) ? text : JSON.stringify(text));
}

/** Frames come many times a second, so they are logged at TRACE only. */
const FRAME_TYPES: ReadonlySet<number | undefined> = new Set([
  MESSAGE_TYPE.MEDIA_DATA_AUDIO,
  MESSAGE_TYPE.MEDIA_DATA_VIDEO,
  MESSAGE_TYPE.MEDIA_DATA_SHARE,
]);

/** Logs type and size of every message to and from Zoom, never its content: at DEBUG, for frames at TRACE. */
export function logWireMessages(logger: SdkLogger): WireMessageListener {
  return (direction, msgType, sizeBytes) => {
    const level = FRAME_TYPES.has(msgType) ? 'trace' : 'debug';
    if (!isLogged(LogLevel[level === 'trace' ? 'TRACE' : 'DEBUG'])) return;
    const type = nameOf(MESSAGE_TYPE, msgType) ?? msgType ?? 'unreadable';
    logger[level](`message ${direction}`, { type, sizeBytes });
  };
}

function isLogged(level: LogLevel): boolean {
  const { enabled, level: limit } = currentConfig();
  return enabled && level <= limit;
}
