import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const MAY_TAKE_MS = 120_000;

/** Runs a tool of node_modules on the whole workspace; what it printed when it found something, else nothing. */
function findings(tool: string, ...args: string[]): Promise<string> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' };
    execFile(join('node_modules/.bin', tool), args, { env, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve(error ? `${stdout}${stderr}`.trim() || error.message : '');
    });
  });
}

it(
  'formatted, and free of what the lint finds',
  async () => {
    expect(await findings('biome', 'check', '--colors=off', '.')).toBe('');
  },
  MAY_TAKE_MS,
);

it(
  'the types of the whole workspace fit',
  async () => {
    expect(await findings('tsc', '-p', 'tsconfig.json')).toBe('');
  },
  MAY_TAKE_MS,
);

it(
  'no dead file, export or dependency, none undeclared',
  async () => {
    expect(await findings('knip', '--no-progress')).toBe('');
  },
  MAY_TAKE_MS,
);
