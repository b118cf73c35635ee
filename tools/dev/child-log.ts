import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where an app's output goes: whole into a file of this run, and in short to whoever watches. */
export function childLog(dir: string, name: string, say: (line: string) => void): (line: string) => void {
  const logs = join(dir, 'logs');
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const file = createWriteStream(join(logs, `${name}.log`));
  // A full disk must not end the stack that it hits.
  file.on('error', (error) => say(`${name}'s log cannot be written: ${error.message}`));
  return (line) => {
    file.write(`${line}\n`);
    say(`${name}: ${inShort(line)}`);
  };
}

/** The message of a line of JSON with that of its error; any other line as it is. */
export function inShort(line: string): string {
  try {
    const { msg, err, store }: { msg?: string; err?: { message?: string }; store?: string } = JSON.parse(line);
    return [store, msg, err?.message].filter(Boolean).join(': ') || line;
  } catch {
    return line; // No JSON: printed by something else than the log.
  }
}
