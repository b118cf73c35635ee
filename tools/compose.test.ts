import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { needs } from '@parley/testing/vitest';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { apiSettings, readApiSettings } from '../apps/api/src/settings.ts';
import { readWorkerSettings, workerSettings } from '../apps/worker/src/settings.ts';

const run = promisify(execFile);
const helm = needs('helm', join(homedir(), 'go/bin/helm'));
const haproxy = needs('haproxy', '/usr/sbin/haproxy');
const promtool = needs('promtool');
const HAPROXY = 'deploy/haproxy/haproxy.cfg';

// biome-ignore lint/suspicious/noExplicitAny: what is looked up is whatever a compose file has there; a miss fails the test
type Composed = any;
const compose: Composed = parse(readFileSync('deploy/compose.yaml', 'utf8'), { merge: true });
const { services } = compose;

/** What Docker puts in place of ${NAME:?why}. */
const GIVEN: Record<string, string> = { AUTH_SECRET: 'a'.repeat(64), POSTGRES_PASSWORD: 'b'.repeat(32) };

function environmentOf(service: string): Record<string, string> {
  const given = Object.entries(services[service].environment ?? {}).map(([name, value]) => [
    name,
    String(value).replaceAll(/\$\{(\w+)(:\?[^}]*)?\}/g, (_, variable: string) => GIVEN[variable] ?? ''),
  ]);
  return Object.fromEntries(given);
}

/** What an image says itself, as its Dockerfile has it. */
function imageEnvironment(app: string): Record<string, string> {
  const [, pairs = ''] = readFileSync(`deploy/docker/${app}.Dockerfile`, 'utf8').match(/^ENV (NODE_ENV=.*)$/m) ?? [];
  return Object.fromEntries(pairs.split(' ').map((pair) => pair.split('=')));
}

const seconds = (text: string) => Number(text.replace(/s$/, ''));

describe('compose.yaml', () => {
  // Helm holds values against a schema of any kind; another program that does would be one more to install.
  helm.test('[DEPLOY-30] is what the Compose Specification takes, to the last field', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-compose-'));
    try {
      mkdirSync(join(folder, 'templates'));
      writeFileSync(join(folder, 'Chart.yaml'), 'apiVersion: v2\nname: compose\nversion: 0.1.0\n');
      cpSync('deploy/compose/schema/compose.schema.json', join(folder, 'values.schema.json'));
      const said = async (file: unknown) => {
        writeFileSync(join(folder, 'compose.json'), JSON.stringify(file));
        return run(helm.path, ['template', 'x', folder, '-f', join(folder, 'compose.json')]).then(
          () => '',
          (error: { stderr: string }) => error.stderr,
        );
      };
      expect(await said(compose)).toBe('');
      const planted = { ...compose, services: { ...services, worker: { ...services.worker, readonly: true } } };
      expect(await said(planted)).toContain("at '/services/worker': additional properties 'readonly' not allowed");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('[DEPLOY-31] gives both apps settings that exist, and that they take', () => {
    for (const [service, app] of [
      ['api-1', 'api'],
      ['api-2', 'api'],
      ['worker', 'worker'],
    ] as const) {
      const env = { ...imageEnvironment(app), ...environmentOf(service) };
      const known = Object.keys(app === 'api' ? apiSettings : workerSettings);
      expect(
        Object.keys(env).filter((name) => !known.includes(name)),
        service,
      ).toEqual([]);
      const settings = app === 'api' ? readApiSettings(env) : readWorkerSettings(env);
      expect(settings).toMatchObject({ NODE_ENV: 'production', OPS_PORT: 3_001, ATTACHMENTS_DIR: '/attachments' });
      expect(services[service].volumes).toContain('attachments:/attachments');
    }
    const [api, worker] = ['api-1', 'worker'].map((service) => environmentOf(service).LANES);
    expect(api).toBe(worker);
  });

  it('[DEPLOY-32] gives an api time for its whole drain', () => {
    const { DRAIN_DELAY_MS, DRAIN_WINDOW_MS } = readApiSettings({
      ...imageEnvironment('api'),
      ...environmentOf('api-1'),
    });
    const grace = seconds(services['api-1'].stop_grace_period);
    expect(grace).toBeGreaterThan((DRAIN_DELAY_MS + DRAIN_WINDOW_MS) / 1_000 + 20);
  });

  it('[DEPLOY-33] runs the two stores of Redis with the policies that readiness asks for', () => {
    const optionOf = (service: string, option: string) => {
      const { command } = services[service];
      return command[command.indexOf(option) + 1];
    };
    expect(optionOf('redis-log', '--maxmemory-policy')).toBe('noeviction');
    expect([optionOf('redis-log', '--appendonly'), optionOf('redis-log', '--appendfsync')]).toEqual(['yes', 'always']);
    expect(services['redis-log'].volumes).toEqual(['redis-log:/data']);
    expect(optionOf('redis-cache', '--maxmemory-policy')).toBe('allkeys-lru');
    expect(optionOf('redis-cache', '--appendonly')).toBe('no');
  });

  it('[DEPLOY-34] lets no app write to its image or gain rights', () => {
    for (const service of ['api-1', 'api-2', 'worker', 'migrate', 'haproxy']) {
      expect(services[service], service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
    }
  });

  it('[DEPLOY-35] builds and mounts what is there', () => {
    const mounted = Object.values(services).flatMap(({ volumes = [] }: Composed) =>
      volumes.filter((volume: string) => volume.startsWith('./')).map((volume: string) => volume.split(':')[0]),
    );
    const built = Object.values(services).flatMap(({ build }: Composed) => (build ? [`../${build.dockerfile}`] : []));
    const missing = [...mounted, ...built].filter((path) => !existsSync(join('deploy', path)));
    expect(missing).toEqual([]);
  });
});

describe('HAProxy in front of the apis', () => {
  it('[DEPLOY-36] is sticky in no way, and keeps quiet sockets open', () => {
    const text = readFileSync(HAPROXY, 'utf8').replaceAll(/^\s*#.*$/gm, '');
    expect(text).not.toMatch(/\b(cookie|stick|hash-type|balance source|balance uri)\b/);
    expect(text).toMatch(/^\s*balance leastconn$/m);
    expect(text).toMatch(/^\s*timeout tunnel 1h$/m);
    expect(Number(text.match(/timeout client (\d+)s/)?.[1])).toBeGreaterThan(60);
  });

  haproxy.test('[DEPLOY-37] takes its configuration, with the addresses of compose.yaml', async () => {
    const env = { ...environmentOf('haproxy'), BIND: '127.0.0.1:18080', OPS_BIND: '127.0.0.1:18405' };
    const { stdout, stderr } = await run(haproxy.path, ['-c', '-f', HAPROXY], { env });
    expect(`${stdout}${stderr}`).toContain('valid');
    const known = [...readFileSync(HAPROXY, 'utf8').matchAll(/\$\{(\w+)/g)].map(([, name]) => name);
    expect(Object.keys(env).filter((name) => !known.includes(name))).toEqual([]);
    const broken = run(haproxy.path, ['-c', '-f', HAPROXY], { env: { ...env, OPS_BIND: '127.0.0.1:many' } });
    await expect(broken).rejects.toThrow();
  });
});

promtool.test('[DEPLOY-38] Prometheus takes its configuration', async () => {
  const { stdout } = await run(promtool.path, ['check', 'config', '--syntax-only', 'deploy/compose/prometheus.yml']);
  expect(stdout).toContain('SUCCESS');
});
