import { existsSync } from 'node:fs';
import { describe, inject, test } from 'vitest';
import { onPath } from './servers/server-process.ts';
import { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from './servers/test-database.ts';
import type {} from './vitest-postgres.ts';

export type { TestDatabase } from './servers/test-database.ts';

/**
 * A database of its own on the Postgres of the run, dropped when it is disposed:
 *
 *     let db: TestDatabase;
 *     beforeAll(async () => {
 *       db = await testDatabase({ template: { name: 'store', build: migrate } }); // migrate(url) runs once a run, not once a file
 *     });
 *     afterAll(() => db[Symbol.asyncDispose]());
 */
export function testDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  return createTestDatabase(inject('postgresUrl'), options);
}

/** A program of the system that some tests cannot do without. */
export interface Need {
  readonly missing: boolean;
  /** Where it is; throws when it is missing, which a test made by this object never meets. */
  readonly path: string;
  /** Vitest's `test`, or where the program is missing a skipped one whose title says why. */
  test(title: string, body: () => Promise<void> | void, timeoutMs?: number): void;
  /** Vitest's `describe`, or where the program is missing a skipped one whose title says why. */
  describe(title: string, body: () => void): void;
}

/**
 * Tests that need a program are counted as skipped where it is missing, and say so:
 *
 *     const chromium = needs('chromium', '/usr/bin/chromium');
 *     chromium.test('two windows see each other', async () => { … chromium.path … });
 */
export function needs(program: string, ...places: string[]): Need {
  const found = places.find((place) => existsSync(place)) ?? onPath(program);
  const missing = found === undefined;
  const titled = (title: string) => (missing ? `${title} (skipped: needs ${program})` : title);
  return {
    missing,
    test: (title, body, timeoutMs) => test.skipIf(missing)(titled(title), body, timeoutMs),
    describe: (title, body) => describe.skipIf(missing)(titled(title), body),
    get path(): string {
      if (found === undefined) throw new Error(`${program} is not installed.`);
      return found;
    },
  };
}
