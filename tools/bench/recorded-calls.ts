import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisLine } from './redis-line.ts';

/** What has been done may still be on its way to us. */
const LAST_LINES_MS = 300;

/** A command as Redis was given it. */
export type Command = readonly string[];

/**
 * Everything that Redis is told while the work goes on, in order; what scripts call inside is left out. It is read from MONITOR, so that a
 * bench sees the commands that the real program sends, and needs to know nothing of how it makes them.
 */
export async function record(port: number, work: () => Promise<unknown>): Promise<Command[]> {
  const line = await RedisLine.connect(port);
  const commands: Command[] = [];
  try {
    await line.ask('MONITOR');
    line.onLine = (text) => {
      const command = parseMonitored(text);
      if (command) commands.push(command);
    };
    await work();
    await sleep(LAST_LINES_MS);
  } finally {
    line.close();
  }
  return commands;
}

/** `1764.123 [0 127.0.0.1:5] "get" "a\"b"` → ['get', 'a"b']; null for what a script called, and for what is no command. */
export function parseMonitored(text: string): Command | null {
  const head = /^[\d.]+ \[\d+ ([^\]]*)\] /.exec(text);
  if (!head || head[1] === 'lua') return null;
  return [...text.slice(head[0].length).matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) => plain(word));
}

const ESCAPED: Record<string, string> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };

function plain(word: string): string {
  return word.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (ESCAPED[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** The same command for another message: each of these ids becomes a fresh one, wherever it stands. */
export function renewed(command: Command, ids: readonly string[]): string[] {
  const fresh = ids.map((id) => [id, randomUUID()] as const);
  return command.map((word) => fresh.reduce((text, [old, id]) => text.replaceAll(old, id), word));
}

/** Works the commands off, one round trip at a time on each connection. */
export async function workOff(
  lines: readonly RedisLine[],
  { commands, expected }: { commands: readonly Command[]; expected: RegExp },
): Promise<void> {
  let next = 0;
  await Promise.all(
    lines.map(async (line) => {
      for (let command = commands[next++]; command; command = commands[next++]) {
        const answer = await line.ask(...command);
        if (!expected.test(answer)) throw new Error(`Redis answered ${answer.slice(0, 200)} to ${command[0]}`);
      }
    }),
  );
}
