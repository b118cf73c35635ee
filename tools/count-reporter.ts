import type { Reporter, TestModule } from 'vitest/node';

/** Prints the last line of a run, `N passed, N failed, N skipped`, counting also what Vitest leaves out of its own line. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: string): void {
    const count = { passed: 0, failed: errors.length + (reason === 'interrupted' ? 1 : 0), skipped: 0 };
    for (const file of modules) {
      // A file that does not load and a hook that throws have no test of their own to fail.
      count.failed += file.errors().length > 0 ? 1 : 0;
      for (const suite of file.children.allSuites()) count.failed += suite.errors().length > 0 ? 1 : 0;
      for (const test of file.children.allTests()) {
        const { state } = test.result();
        count[state === 'pending' ? 'skipped' : state]++;
      }
    }
    if (count.failed > 0) process.exitCode = 1;
    process.once('exit', () => {
      process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
    });
  }
}
