/** Results as JUnit XML: a test case an expectation, and one a step that failed. */
import type { Experiment } from '../storyboard/experiment.ts';

export function junit(runs: readonly Experiment[]): string {
  const suites = runs.map(suite);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('')}</testsuites>\n`;
}

function suite({ name, seed, startedAt, plan, result, parameters }: Experiment): string {
  const set = Object.entries(parameters).map(([key, value]) => ` ${key}=${value}`);
  const title = `${name}${set.join('')} seed=${seed}`;
  const failed = result.steps.filter(
    ({ ok, step }) => !ok && isOwn(plan.steps.find((each) => each.step === step)?.kind),
  );
  const cases = [
    ...result.verdicts.map(({ expectation, ok, measured, unit }) => ({
      name: expectation,
      failure: ok ? undefined : `measured ${measured === null ? 'nothing' : `${measured}${unit}`}`,
    })),
    ...failed.map((each) => {
      const step = plan.steps.find((planned) => planned.step === each.step);
      return {
        name: `step ${each.step}: ${step?.kind} ${step?.target}`,
        failure: [each.error, ...(each.details ?? [])].join('\n'),
      };
    }),
  ];
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const seconds = (plan.durationMs / 1000).toFixed(3);
  const head = `name="${escapeXml(title)}" tests="${cases.length}" failures="${failures}" errors="0" time="${seconds}" timestamp="${startedAt.slice(0, 19)}"`;
  const body = cases.map((each) => {
    const open = `    <testcase classname="${escapeXml(name)}" name="${escapeXml(each.name)}" time="0"`;
    if (each.failure === undefined) return `${open}/>\n`;
    const [message = ''] = each.failure.split('\n');
    return `${open}>\n      <failure message="${escapeXml(message)}">${escapeXml(each.failure)}</failure>\n    </testcase>\n`;
  });
  return `  <testsuite ${head}>\n${body.join('')}  </testsuite>\n`;
}

/** Steps that no expectation judges. */
function isOwn(kind: string | undefined): boolean {
  return kind !== 'reachable' && kind !== 'converged';
}

export function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[^\t\n\r -\uFFFD]/g, '?');
}
