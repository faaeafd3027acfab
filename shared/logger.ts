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
