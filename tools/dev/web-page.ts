import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runNode } from './run-node.ts';

const SOURCES = ['apps/web/{*,src/**,public/**}', 'packages/{client,protocol}/src/**', 'package-lock.json'];

/** Builds the web page into `apps/web/dist`, unless it is there already, made of the same sources. */
export async function buildWebPage(root: string, say: (line: string) => void): Promise<void> {
  const dist = join(root, 'apps/web/dist');
  const stamp = 'built-from';
  const wanted = hashOf(root);
  if (existsSync(join(dist, stamp)) && readFileSync(join(dist, stamp), 'utf8') === wanted) return;
  const began = Date.now();
  // Beside its place, then swapped: another stack of this clone may be serving the old one.
  const work = `${dist}.new-${process.pid}`;
  const args = [join(root, 'node_modules/vite/bin/vite.js'), 'build', '--outDir', work, '--emptyOutDir'];
  await runNode(args, { cwd: join(root, 'apps/web'), env: { ...process.env, NODE_ENV: 'production', NO_COLOR: '1' } });
  writeFileSync(join(work, stamp), wanted);
  rmSync(dist, { recursive: true, force: true });
  renameSync(work, dist);
  say(`web page built (${((Date.now() - began) / 1000).toFixed(1)} s)`);
}

function hashOf(root: string): string {
  const hash = createHash('sha256');
  for (const file of globSync(SOURCES, { cwd: root }).sort()) {
    if (!statSync(join(root, file)).isFile()) continue;
    hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest('hex');
}
