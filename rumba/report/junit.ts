/** Results as JUnit XML: a test case an expectation, one a step that failed, and one for a run that did not come to its end. */
import type { Experiment } from '../storyboard/experiment.ts';
import { measuredText } from './measured.ts';

interface Case {
  readonly name: string;
  readonly outcome?: 'failure' | 'error' | 'skipped';
  /** The first line is the message. */
  readonly text?: string;
}

/** One run. */
export function junit(run: Experiment): string {
  return suites([junitSuite(run)]);
}

/** A document of suites. */
export function suites(all: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${all.join('')}</testsuites>\n`;
}

function junitSuite(run: Experiment): string {
  const { name, seed, startedAt, endedAt, plan, result, parameters, status, error, details = [] } = run;
  const set = Object.entries(parameters).map(([key, value]) => ` ${key}=${value}`);
  const kinds = new Map(plan.steps.map((step) => [step.step, step]));
  const known = new Set(result.verdicts.map(({ expectation }) => expectation));
  const isEnded = status === 'passed' || status === 'failed';
  return suite({
    name,
    title: `${name}${set.join('')} seed=${seed}`,
    startedAt,
    seconds: (Date.parse(endedAt) - Date.parse(startedAt)) / 1000,
    cases: [
      ...result.verdicts.map((each): Case => {
        const judged = { name: each.expectation };
        return each.ok ? judged : { ...judged, outcome: 'failure', text: `measured ${measuredText(each)}` };
      }),
      ...plan.expectations
        .filter((each) => !known.has(each))
        .map((each): Case => ({ name: each, outcome: 'skipped', text: `the run was ${status}` })),
      ...result.steps
        .filter(
          ({ ok, begunMs, step }) => !ok && (isEnded || begunMs !== null) && isOwn(kinds.get(step)?.kind),
        )
        .map((each): Case => {
          const { kind, target } = kinds.get(each.step) ?? {};
          const text = [each.error, ...(each.details ?? [])].join('\n');
          return { name: `step ${each.step}: ${kind} ${target}`, outcome: 'failure', text };
        }),
      ...(isEnded
        ? result.steps.every(({ ok, step }) => ok || !isOwn(kinds.get(step)?.kind))
          ? [{ name: `the steps: ${result.steps.length}` }]
          : []
        : [{ name: 'the run', outcome: 'error', text: [error ?? status, ...details].join('\n') } as const]),
    ],
  });
}

/** A run of which there is nothing but a reason. */
export function brokenSuite(name: string, title: string, error: string): string {
  const cases = [{ name: 'the run', outcome: 'error', text: error } as const];
  return suite({ name, title, startedAt: undefined, seconds: 0, cases });
}

function suite(of: {
  name: string;
  title: string;
  startedAt: string | undefined;
  seconds: number;
  cases: readonly Case[];
}): string {
  const { name, title, startedAt, seconds, cases } = of;
  const count = (outcome: Case['outcome']): number => cases.filter((each) => each.outcome === outcome).length;
  const counts = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`;
  const at = startedAt === undefined ? '' : ` timestamp="${startedAt.slice(0, 19)}"`;
  const head = `name="${escapeXml(title)}" ${counts} time="${seconds.toFixed(3)}"${at}`;
  const body = cases.map((each) => {
    const open = `    <testcase classname="${escapeXml(name)}" name="${escapeXml(each.name)}" time="0"`;
    if (each.outcome === undefined) return `${open}/>\n`;
    const { outcome, text = '' } = each;
    const message = escapeXml(text.split('\n', 1)[0] ?? '');
    const inner = outcome === 'skipped' ? '/>' : `>${escapeXml(text)}</${outcome}>`;
    return `${open}>\n      <${outcome} message="${message}"${inner}\n    </testcase>\n`;
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
