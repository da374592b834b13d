/**
 * Ends a run with one line, `N passed, N failed`, and says why each skipped test was skipped. `O7S_REQUIRE=unit,netns`
 * makes the run fail when one of these projects ran nothing or skipped something: a machine that is meant to run
 * all tests must not pass because it lacks a privilege.
 */
import { writeSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** `N passed, N failed`. What was skipped stands in lines of its own before it, each with the reason. */
export function closingLine({ passed, failed }: Pick<Counts, 'passed' | 'failed'>): string {
  return `${passed} passed, ${failed} failed\n`;
}

/** The projects that were to run, but did not in full, each with what is missing. */
export function unmetProjects(required: string | undefined, counts: ReadonlyMap<string, Counts>): string[] {
  const names = (required ?? '').split(',').map((name) => name.trim());
  return names
    .filter((name) => name !== '')
    .flatMap((name) => {
      const project = counts.get(name);
      if (project === undefined || project.passed + project.failed === 0) return [`${name}: no test ran`];
      return project.skipped > 0 ? [`${name}: ${project.skipped} skipped`] : [];
    });
}

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const total: Counts = { passed: 0, failed: 0, skipped: 0 };
    const byProject = new Map<string, Counts>();
    const reasons = new Map<string, number>();
    for (const module of modules) {
      const project = byProject.get(module.project.name) ?? { passed: 0, failed: 0, skipped: 0 };
      byProject.set(module.project.name, project);
      const count = (state: keyof Counts): void => {
        project[state] += 1;
        total[state] += 1;
      };
      let failedTests = 0;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'skipped') {
          const reason = `${module.project.name}: ${result.note ?? `${module.relativeModuleId} gives no reason`}`;
          reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        }
        if (result.state === 'failed') failedTests += 1;
        count(result.state === 'pending' ? 'failed' : result.state);
      }
      // A file that cannot be loaded, or a hook that fails, has no failed test of its own.
      if (!module.ok() && failedTests === 0) count('failed');
    }
    total.failed += unhandled.length;
    for (const [reason, tests] of reasons) process.stdout.write(`skipped ${tests} of ${reason}\n`);
    const unmet = unmetProjects(process.env['O7S_REQUIRE'], byProject);
    for (const project of unmet) process.stdout.write(`O7S_REQUIRE: ${project}\n`);
    total.failed += unmet.length;
    if (total.failed > 0) process.exitCode = 1;
    // At exit, so that nothing comes behind it.
    process.once('exit', () => {
      if (total.failed > 0) process.exitCode = 1;
      writeSync(1, closingLine(total));
    });
  }
}
