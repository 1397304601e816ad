import type { Reporter, TestModule } from 'vitest/node'

/** Ends a run with its counts on one line, and fails it when a test was skipped: a skipped test is a failed test. */
export default class NoSkipsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        count[state] += 1
        if (state === 'skipped' || state === 'pending')
          console.log(`SKIPPED ${module.relativeModuleId} ${test.fullName}`)
      }
    }
    const skipped = count.skipped + count.pending
    console.log(`${count.passed} passed, ${count.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
    if (skipped > 0) process.exitCode = 1
  }
}
