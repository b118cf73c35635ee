import { type DestinationStream, type Logger, pino } from 'pino';
import { HIDDEN, SECRET_FIELDS, showable, withoutSecrets } from './log-secrets.ts';

/** A JSON line per event, with an `err` field for errors. */
export type Log = Logger;

/**
 * A log that writes to standard output, or where it is told to. Message bodies and what opens doors are left out of every line: by the
 * names of fields, whatever carries them, and by their look in texts. Of errors only what they are is written, not what they hold.
 */
export function createLog(options: { name: string; level: string }, destination?: DestinationStream): Log {
  const settings = {
    name: options.name,
    level: options.level,
    // The formatters have made a plain object of it.
    serializers: { err: (error: unknown) => error },
    formatters: { log: (fields: object) => showable(fields) as Record<string, unknown> },
    // What a child log carries does not come through the formatters.
    redact: { paths: [...SECRET_FIELDS].map((field) => `["${field}"]`), censor: HIDDEN },
    hooks: { streamWrite: withoutSecrets },
  };
  return destination ? pino(settings, destination) : pino(settings);
}
