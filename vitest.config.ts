import { defineConfig } from 'vitest/config';

const conditions = ['@parley/source', 'node', 'import', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [
      '{packages,apps}/*/test/**/*.test.ts',
      'tools/**/*.test.ts',
      'regression/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    reporters: ['default', './tools/count-reporter.ts'],
    execArgv: ['--conditions=@parley/source'],
    // Two cores: more files at once only make every timeout race harder.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
