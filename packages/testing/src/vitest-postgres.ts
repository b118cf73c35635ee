import type { TestProject } from 'vitest/node';
import { startPostgres } from './servers/postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser's URL of the run's one Postgres. */
    postgresUrl: string;
  }
}

/**
 * Vitest `globalSetup`: one Postgres for the whole run, on which each test file makes databases of its own with
 * `testDatabase()` of `@parley/testing/vitest`. A test that kills or stops its Postgres starts its own with `startPostgres()`.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // A killed server loses nothing without fsync either: what it wrote is in the kernel's cache.
  const server = await startPostgres({ settings: { fsync: 'off', max_connections: '300' } });
  project.provide('postgresUrl', server.url);
  return async () => server[Symbol.asyncDispose]();
}
