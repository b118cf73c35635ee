import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { migrate } from '@parley/store';
import { expect } from 'vitest';
import { startCluster } from '../src/cluster.ts';
import { needs } from '../src/vitest.ts';
import { verify } from './verify.ts';

const LOAD_TESTS = fileURLToPath(new URL('../../../load-tests/', import.meta.url));
const artillery = needs('npm ci in load-tests', `${LOAD_TESTS}node_modules/artillery/bin/run`);

/** A few seconds of the run, without its thresholds: times are for machines that do nothing else. */
const SHORT = JSON.stringify({ config: { phases: [{ duration: 4, arrivalRate: 3 }], ensure: {} } });

artillery.test(
  '[RUN-92] the load run makes users who all see what they send, and the stack keeps all of it',
  async () => {
    await using cluster = await startCluster({ apis: 1, workers: 1, migrate });
    const env = {
      PATH: process.env.PATH ?? '',
      ARTILLERY_DISABLE_TELEMETRY: 'true',
      PARLEY_URL: cluster.apis[0]?.url ?? '',
    };
    const args = [artillery.path, 'run', 'chat.yml', '--overrides', SHORT];
    const { failure, text } = await new Promise<{ failure: unknown; text: string }>((resolve) => {
      execFile(process.execPath, args, { cwd: LOAD_TESTS, env, timeout: 60_000 }, (failure, stdout, stderr) =>
        resolve({ failure, text: stdout + stderr }),
      );
    });
    expect(failure, text).toBeNull();
    expect(text).toMatch(/vusers\.failed: \.* 0/);
    const { code, report } = await verify(cluster.env);
    expect({ code, lost: report.lost, persisted: report.persisted }).toEqual({ code: 0, lost: 0, persisted: 12 * 20 });
  },
  90_000,
);
