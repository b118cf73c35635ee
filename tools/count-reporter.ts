import type { Reporter, TestModule } from 'vitest/node';

/**
 * Prints the last line of a run, `N passed, N failed, N skipped`, counting also what Vitest leaves out of its own line. What passed
 * only when it was tried again (`--retry`) is named before it: a race that somebody has to look at.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: string): void {
    const flaky: string[] = [];
    const count = { passed: 0, failed: errors.length + (reason === 'interrupted' ? 1 : 0), skipped: 0 };
    for (const file of modules) {
      // A file that does not load and a hook that throws have no test of their own to fail.
      count.failed += file.errors().length > 0 ? 1 : 0;
      for (const suite of file.children.allSuites()) count.failed += suite.errors().length > 0 ? 1 : 0;
      for (const test of file.children.allTests()) {
        const { state } = test.result();
        count[state === 'pending' ? 'skipped' : state]++;
        if (test.diagnostic()?.flaky) flaky.push(test.fullName);
      }
    }
    if (count.failed > 0) process.exitCode = 1;
    process.once('exit', () => {
      for (const name of flaky) process.stdout.write(`\npassed only the second time: ${name}`);
      process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
    });
  }
}
