import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The program of `npm run chaos`: its exit code, and its last line. */
async function chaos(...words: string[]) {
  const child = spawn(process.execPath, ['--conditions=@parley/source', 'tools/chaos.ts', ...words], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [text, complaint] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, text, complaint, report: JSON.parse(text.trim().split('\n').at(-1) || '{}') };
}

describe('npm run chaos', () => {
  it('[CHAOS-5] kills, freezes, cuts, fails over: nothing acknowledged is lost, no gap, no repeat', async () => {
    const only = 'api-kill,log-kill,postgres-freeze,log-black-hole,log-fail-over';
    const { code, text, report } = await chaos('--minutes', '0.7', '--seed', '11', '--only', only);
    console.log(text);
    expect(report).toMatchObject({ ok: true, lost: 0, doubled: 0, reused: 0, gaps: 0, repeats: 0, outOfOrder: 0 });
    expect(report).toMatchObject({ resyncs: 0, ended: 0, unreadWrong: 0, unseen: [], died: [], broken: [] });
    expect(report.acked).toBeGreaterThan(500);
    expect(report.rounds).toBeGreaterThan(2);
    expect(code).toBe(0);
  }, 300_000);

  it('[CHAOS-6] control: without a protection the loss is found, and the exit code says so', async () => {
    const { code, text, report } = await chaos('--minutes', '0.5', '--only', 'log-kill', '--without', 'aof');
    console.log(text);
    expect(report).toMatchObject({ ok: false, unseen: [] });
    expect(report.lost).toBeGreaterThan(0);
    expect(code).toBe(1);
  }, 200_000);

  it('[CHAOS-1] says what is wrong with its options, and does nothing', async () => {
    const { code, text, complaint } = await chaos('--only', 'earthquake');
    expect([code, text]).toEqual([2, '']);
    expect(complaint).toContain('there is no fault earthquake');
  });
});
