import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { migrate } from '@parley/store';
import { expect, it } from 'vitest';
import { startCluster } from '../src/cluster.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

it('[RUN-91] the client in the README works when pasted', async () => {
  const snippet = /```ts\n(.*?)```/s.exec(readFileSync(`${ROOT}README.md`, 'utf8'))?.[1] ?? '';
  expect(snippet).toContain('127.0.0.1:3000');
  await using cluster = await startCluster({ apis: 1, workers: 1, migrate });
  const file = `${ROOT}hello-${process.pid}.ts`;
  writeFileSync(file, snippet.replace('127.0.0.1:3000', `127.0.0.1:${cluster.apis[0]?.port}`));
  try {
    const child = spawn(process.execPath, ['--conditions=@parley/source', file], { cwd: ROOT });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes("type: 'message.persisted'")) child.kill();
      });
    }
    const late = setTimeout(() => child.kill(), 15_000);
    await once(child, 'exit');
    clearTimeout(late);
    for (const word of [
      "level: 'accepted'",
      "type: 'opened'",
      "type: 'message.created'",
      "type: 'message.persisted'",
    ]) {
      expect(text).toContain(word);
    }
  } finally {
    rmSync(file);
  }
}, 60_000);
