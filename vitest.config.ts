import { defineConfig } from 'vitest/config';

// Vitest hands these on to Node, where `import` among them would make `require` load ES modules.
const conditions = ['@parley/source', 'node'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['{packages,apps}/*/test/**/*.test.ts', 'tools/**/*.test.ts', 'regression/**/*.test.ts'],
    globalSetup: ['./packages/testing/src/vitest-postgres.ts'],
    reporters: ['default', './tools/count-reporter.ts'],
    execArgv: ['--conditions=@parley/source'],
    // Two cores: more files at once only make every timeout race harder.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
