import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = new URL('../src/', import.meta.url).pathname;

/** What a file imports, types included. */
function importsOf(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(/from '([^']+)'/g)].map((match) => match[1] ?? '');
}

describe('the router’s type', () => {
  it('[CLIENT-30] names nothing but the protocol and tRPC, so that it travels without the server', () => {
    const files = ['router.ts', 'context.ts', ...globSync('procedures/*.ts', { cwd: SRC })];
    const allowed = new Set(['@parley/protocol', '@trpc/server']);
    // `trpc.ts` adds a formatter; its type is the ErrorShape of context.ts.
    const own = new Set([...files.map((file) => basename(file)), 'trpc.ts']);
    const strange = files.flatMap((file) =>
      importsOf(SRC + file)
        .filter((name) => !allowed.has(name) && !(name.startsWith('.') && own.has(basename(name))))
        .map((name) => `${file}: ${name}`),
    );
    expect(files.length).toBeGreaterThan(8);
    expect(strange).toEqual([]);
  });

  it('the control: a file of the server itself would be seen', () => {
    expect(importsOf(`${SRC}compose-stores.ts`)).toContain('@parley/store');
  });
});
