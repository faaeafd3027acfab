/** Fields a log line may carry: ids, counts, codes. Never media, text, names of people, secrets or payloads. */
export type LogFields = Readonly<Record<string, unknown>>;

/** What the pure and protocol parts need of a logger; pino and Powertools both fit behind it. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}

/** Says nothing: the default where no logger was given. */
export const SILENT_LOGGER: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => SILENT_LOGGER,
};

/** Most characters of one field: ids, reasons and addresses are far from it. */
const MAX_FIELD_CHARACTERS = 4_000;

/** Cuts what is too long, so that no log line is: CloudWatch takes 256 KiB of one, and charges for each byte. */
export function boundFields(fields: Record<string, unknown>): Record<string, unknown> {
  const bound: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) bound[name] = boundField(value);
  return bound;
}

function boundField(value: unknown): unknown {
  if (typeof value === 'string') {
    const { length } = value;
    if (length <= MAX_FIELD_CHARACTERS) return value;
    return `${value.slice(0, MAX_FIELD_CHARACTERS).toWellFormed()}… (${length} characters)`;
  }
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  // What no JSON can show would end the line; without it the line still says the rest.
  try {
    const text = JSON.stringify(value) ?? '';
    return text.length <= MAX_FIELD_CHARACTERS ? value : { cut: text.length };
  } catch {
    return { cut: true };
  }
}
