import { connect } from 'node:net';
import type { RedisServer } from '../src/servers/redis-server.ts';

const ANSWER_MS = 10_000;

/** What a Redis answers to one command, as an operator would give it, in the words of the protocol; rejects with what it refuses. */
export function askRedis({ port }: RedisServer, ...command: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: ANSWER_MS });
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (part: string) => {
      answer += part;
    });
    socket.on('error', reject);
    socket.on('timeout', () => socket.destroy(new Error(`no answer to ${command[0]} within ${ANSWER_MS} ms`)));
    socket.on('close', () => {
      if (answer.startsWith('-')) reject(new Error(answer.trim()));
      // The last line answers QUIT.
      else resolve(answer.slice(0, -'+OK\r\n'.length));
    });
    const words = (parts: readonly string[]) =>
      `*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join('')}`;
    socket.write(words(command) + words(['QUIT']));
  });
}

/** The names of all keys that match. */
export async function keysLike(server: RedisServer, pattern: string): Promise<string[]> {
  return (await askRedis(server, 'KEYS', pattern)).split('\r\n').filter((line) => line !== '' && !/^[*$]\d/.test(line));
}
