/** A run as one page of HTML that needs nothing besides: the topology, what happened, and plots of what was measured. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { drawPhysical } from '../graph/drawing.ts';
import { svg } from '../graph/svg.ts';
import { impairmentText } from '../model/impairment.ts';
import type { Topology } from '../model/topology.ts';
import type { Experiment } from '../storyboard/experiment.ts';
import type { PlayResult } from '../storyboard/play.ts';
import {
  lossOf,
  type Outage,
  outageOf,
  outagesOf,
  type PingResult,
  rttOf,
  type Sample,
} from '../storyboard/ping.ts';
import type { StoryPlan } from '../storyboard/story.ts';
import { escapeXml } from './junit.ts';
import { measuredText } from './measured.ts';
import { plotScript, type PlotData, style } from './page.ts';

const require = createRequire(import.meta.url);

/** Points of one plot; more are thinned out, which keeps the worst of each group. */
const pointsMax = 4_000;

/** Outages of one ping that are listed. */
const outagesMax = 100;

export async function html(run: Experiment, topology: Topology): Promise<string> {
  const { name, seed, testbed, result, plan, startedAt, versions, images, parameters, readyMs, status } = run;
  const picture = await svg(drawPhysical(topology, new Set()));
  const plots = result.pings.map((ping) => plotOf(ping, run));
  const facts: [string, string][] = [
    ['Result', status],
    ['Seed', String(seed)],
    ['Testbed', testbed ?? '-'],
    ['Started', startedAt],
    ['Lab ready after', readyMs === null ? '-' : `${(readyMs / 1000).toFixed(2)} s`],
    ['Lasted', `${plan.durationMs / 1000} s`],
    ...Object.entries(parameters).map(([key, value]): [string, string] => [`Parameter ${key}`, value]),
    ...Object.entries(versions).map(([key, value]): [string, string] => [key, value]),
    ...Object.entries(images).map(([key, value]): [string, string] => [`Image ${key}`, value]),
  ];
  const why = [run.error ?? [], run.details ?? []].flat();
  const sections = [
    `<h1>${text(name)} <span class="${status === 'passed' ? 'good' : 'bad'}">${status}</span></h1>`,
    ...(why.length === 0 ? [] : [`<pre class="bad">${text(why.join('\n'))}</pre>`]),
    `<div class="columns"><div>${table(
      ['', ''],
      facts.map((row) => row.map(text)),
    )}</div><figure>${bare(picture)}</figure></div>`,
    ...(result.verdicts.length === 0 ? [] : ['<h2>Expectations</h2>', verdictTable(run)]),
    ...(plots.length === 0 ? [] : ['<h2>Pings</h2>', pingTable(result.pings)]),
    ...plots.map((_, index) => `<div class="plot" id="plot${index}"></div>`),
    ...outageTable(run),
    '<h2>Steps</h2>',
    stepTable(run),
    ...(result.notes.length === 0
      ? []
      : [
          '<h2>Notes</h2>',
          table(
            ['At', 'Note'],
            result.notes.map((note) => [seconds(note.at), text(note.text)]),
          ),
        ]),
    ...(result.missing.length === 0
      ? []
      : [
          '<h2>Missing</h2>',
          table(
            ['What', 'How many', 'Why'],
            result.missing.map(({ what, count, reason }) => [
              what,
              count === null ? 'unknown' : String(count),
              text(reason),
            ]),
          ),
        ]),
    ...linkTable(run),
  ];
  return page(name, sections.join('\n'), plots);
}

/** A whole page, with the library of the plots in it. */
export async function page(title: string, body: string, plots: readonly PlotData[]): Promise<string> {
  const folder = require.resolve('uplot/package.json').replace('package.json', 'dist/');
  const [script, sheet] = await Promise.all(
    ['uPlot.iife.min.js', 'uPlot.min.css'].map((file) => readFile(`${folder}${file}`, 'utf8')),
  );
  // Data must not be able to end the script it is in.
  const data = JSON.stringify(plots).replaceAll('<', String.raw`\u003c`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(title)}</title>
<style>${sheet}${style}</style>
</head>
<body>
${body}
<script>${script}</script>
<script>const plots = ${data};
${plotScript}</script>
</body>
</html>
`;
}

function plotOf({ name, samples, intervalMs }: PingResult, { plan, result }: Experiment): PlotData {
  const group = Math.max(1, Math.ceil(samples.length / pointsMax));
  const kept = Array.from({ length: Math.ceil(samples.length / group) }, (_, index) => {
    const part = samples.slice(index * group, (index + 1) * group);
    const times = part.flatMap(({ rttMs }) => (rttMs === null ? [] : [rttMs]));
    const lost = part.filter(({ rttMs }) => rttMs === null).length;
    return { at: part[0]?.at ?? 0, rtt: times.length === 0 ? null : Math.max(...times), lost };
  });
  const windowMs = Math.max(250, intervalMs * 10);
  const lossAt = new Map<number, { sent: number; lost: number }>();
  for (const { at, rttMs } of samples) {
    const window = Math.floor(at / windowMs);
    const counts = lossAt.get(window) ?? { sent: 0, lost: 0 };
    counts.sent += 1;
    if (rttMs === null) counts.lost += 1;
    lossAt.set(window, counts);
  }
  const spans = longOutages(samples, intervalMs).map(({ from, to }) => ({
    from: from / 1000,
    to: (to ?? samples.at(-1)?.at ?? from) / 1000,
    text: to === null ? 'to the end' : ms(to - from),
  }));
  return {
    title: name,
    x: kept.map(({ at }) => at / 1000),
    series: [
      { label: 'RTT, ms', values: kept.map(({ rtt }) => rtt), scale: 'ms' },
      {
        label: `loss in ${windowMs} ms, %`,
        values: kept.map(({ at }) => {
          const { sent = 1, lost = 0 } = lossAt.get(Math.floor(at / windowMs)) ?? {};
          return Math.round((1000 * lost) / sent) / 10;
        }),
        scale: '%',
      },
    ],
    marks: faultsOf(plan, result).map(({ at, text: label }) => ({ at: at / 1000, text: label })),
    spans,
  };
}

/** What was done to links, nodes and IPCPs, and when, ms. */
function faultsOf(plan: StoryPlan, { steps }: PlayResult): { at: number; text: string }[] {
  const planned = new Map(plan.steps.map((each) => [each.step, each]));
  return steps.flatMap(({ step, begunMs }) => {
    const { kind = '', target = '' } = planned.get(step) ?? {};
    if (begunMs === null || !/^(link|node|ipcp|partition|heal)/.test(kind)) return [];
    return [{ at: begunMs, text: `${kind} ${target}` }];
  });
}

/** Outages of more than single packets. */
function longOutages(samples: readonly Sample[], intervalMs: number): Outage[] {
  return outagesOf(samples, intervalMs).filter(({ from, to }) => to === null || to - from >= 3 * intervalMs);
}

/** What re-routing took: when pings were not answered, for how long, and what had been done before. */
function outageTable({ plan, result }: Experiment): string[] {
  const faults = faultsOf(plan, result).toSorted((one, other) => one.at - other.at);
  const rows = result.pings.flatMap(({ name, samples, intervalMs }) => {
    const all = longOutages(samples, intervalMs);
    const shown = all.slice(0, outagesMax).map(({ from, to }) => {
      const before = faults.findLast(({ at }) => at <= from);
      const cause = before === undefined ? '-' : `${before.text}, ${ms(from - before.at)} before`;
      return [text(name), seconds(from), to === null ? 'to the end' : ms(to - from), text(cause)];
    });
    const left = all.length - shown.length;
    return left === 0 ? shown : [...shown, [text(name), '', '', `${left} more`]];
  });
  return rows.length === 0 ? [] : ['<h2>Outages</h2>', table(['Ping', 'From', 'Lasted', 'After'], rows)];
}

function verdictTable({ result }: Experiment): string {
  return table(
    ['Expectation', 'Measured', ''],
    result.verdicts.map((each) => [text(each.expectation), measuredText(each), mark(each.ok)]),
  );
}

function pingTable(pings: readonly PingResult[]): string {
  return table(
    ['Ping', 'Sent', 'Loss', 'RTT median', 'p95', 'p99', 'max', 'Longest outage', 'Flows lost'],
    pings.map(({ name, samples, intervalMs, flowsLost }) => [
      text(name),
      String(samples.length),
      `${(lossOf(samples) * 100).toFixed(2)} %`,
      ...[0.5, 0.95, 0.99, 1].map((share) => ms(rttOf(samples, share))),
      ms(outageOf(samples, intervalMs)),
      String(flowsLost),
    ]),
  );
}

function stepTable({ plan, result }: Experiment): string {
  const results = new Map(result.steps.map((each) => [each.step, each]));
  return table(
    ['Step', 'Planned', 'Begun', 'Took', 'Action', 'Target', 'Parameters', ''],
    plan.steps.map(({ step, time, kind, target, parameters }) => {
      const { begunMs = null, endedMs = null, ok = false, error, details = [] } = results.get(step) ?? {};
      const planned =
        'atMs' in time
          ? seconds(time.atMs)
          : 'afterStep' in time
            ? `${time.delayMs} ms after ${time.afterStep}`
            : `when ${time.when}`;
      const failure = error === undefined ? '' : `<pre>${text([error, ...details].join('\n'))}</pre>`;
      return [
        String(step),
        text(planned),
        begunMs === null ? '-' : seconds(begunMs),
        begunMs === null || endedMs === null ? '-' : ms(endedMs - begunMs),
        text(kind),
        text(target),
        Object.keys(parameters).length === 0 ? '' : `<code>${text(JSON.stringify(parameters))}</code>`,
        `${mark(ok)}${failure}`,
      ];
    }),
  );
}

function linkTable({ result }: Experiment): string[] {
  const last = result.links
    .toReversed()
    .find(({ states }) => states.some(({ splice }) => splice !== undefined));
  if (last === undefined) return [];
  const rows = last.states.flatMap(({ link, node, splice }) =>
    (splice?.impairments ?? []).map((each, way) => {
      const counts = splice?.counts[way];
      return [
        text(node === undefined ? link : `${link} at ${node}`),
        way === 0 ? 'there' : 'back',
        text(impairmentText(each)),
        ...[counts?.framesReceived, counts?.lost, counts?.queueFull, counts?.duplicated].map(String),
      ];
    }),
  );
  return [
    `<h2>Impaired links, at ${seconds(last.at)}</h2>`,
    table(['Link', 'Way', 'Impairment', 'Frames', 'Lost', 'Queue full', 'Doubled'], rows),
  ];
}

/** Cells are HTML already. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = headings.every((each) => each === '')
    ? ''
    : `<thead><tr>${headings.map((each) => `<th>${text(each)}</th>`).join('')}</tr></thead>`;
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`);
  return `<table>${head}<tbody>${body.join('')}</tbody></table>`;
}

export function text(value: string): string {
  return escapeXml(value);
}

function mark(ok: boolean): string {
  return ok ? '<span class="good">ok</span>' : '<span class="bad">failed</span>';
}

function ms(value: number): string {
  return Number.isFinite(value) ? `${value.toFixed(value < 10 ? 2 : 1)} ms` : 'infinite';
}

function seconds(value: number): string {
  return `${(value / 1000).toFixed(3)} s`;
}

/** The picture without what comes before it in a file of its own. */
function bare(picture: string): string {
  return picture.slice(picture.indexOf('<svg'));
}
