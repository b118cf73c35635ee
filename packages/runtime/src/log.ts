import { type DestinationStream, type Logger, pino } from 'pino';

/** A JSON line per event, with an `err` field for errors. */
export type Log = Logger;

/** Fields that no line may carry, at the top or up to three levels down. Bodies are people's words, the rest opens doors. */
const SECRET_FIELDS = [
  'token',
  'password',
  'secret',
  'authorization',
  'Authorization',
  'cookie',
  'connectionParams',
  'body',
  'bodies',
];
const DEPTHS = ['', '*.', '*.*.', '*.*.*.'];

/** A log that writes to standard output, or where it is told to. Secrets and message bodies are left out of every line. */
export function createLog(options: { name: string; level: string }, destination?: DestinationStream): Log {
  const settings = {
    name: options.name,
    level: options.level,
    redact: { paths: DEPTHS.flatMap((depth) => SECRET_FIELDS.map((field) => depth + field)), censor: '[hidden]' },
  };
  return destination ? pino(settings, destination) : pino(settings);
}
