/** What every report page has: its style, and the script that draws its plots. */

export interface PlotData {
  readonly title: string;
  /** Seconds, or values of a parameter. */
  readonly x: readonly number[];
  readonly xLabel?: string;
  readonly series: readonly {
    readonly label: string;
    readonly values: readonly (number | null)[];
    /** Its unit; series of one unit share an axis. */
    readonly scale: string;
    /** Lower and upper bounds, for a band around the line. */
    readonly low?: readonly (number | null)[];
    readonly high?: readonly (number | null)[];
  }[];
  /** Moments at which something was done. */
  readonly marks: readonly { readonly at: number; readonly text: string }[];
  /** Times of which something is said, shaded. */
  readonly spans?: readonly { readonly from: number; readonly to: number; readonly text: string }[];
}

export const style = `
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #1b1f24; background: #fff; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; font-size: 0.87rem; }
th, td { text-align: left; padding: 0.25rem 0.7rem 0.25rem 0; border-bottom: 1px solid #e3e6ea; vertical-align: top; }
th { color: #57606a; font-weight: 600; }
td pre { margin: 0.2rem 0; white-space: pre-wrap; color: #a40e26; font-size: 0.8rem; }
code { font-size: 0.8rem; }
.columns { display: flex; gap: 2rem; flex-wrap: wrap; align-items: flex-start; }
figure { margin: 0; flex: 1 1 20rem; } figure svg { max-width: 100%; max-height: 26rem; height: auto; }
.plot { margin: 1.2rem 0; }
.good { color: #116329; font-weight: 600; } .bad { color: #a40e26; font-weight: 600; }
.u-title { font-size: 0.95rem; }
`;

export const plotScript = `
const colours = ['#0b62c4', '#c0392b', '#1a7f37', '#8250df', '#bf8700'];
const marked = (marks, spans = []) => ({ hooks: { draw: (u) => {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.font = '11px system-ui, sans-serif';
  spans.forEach(({ from, to, text }) => {
    const right = bbox.left + bbox.width;
    const [x, end] = [from, to].map((at) => Math.max(bbox.left, Math.min(right, Math.round(u.valToPos(at, 'x', true)))));
    if (end <= x) return;
    ctx.fillStyle = '#c0392b1a';
    ctx.fillRect(x, bbox.top, end - x, bbox.height);
    ctx.fillStyle = '#a40e26';
    ctx.fillText(text, x + 4, bbox.top + bbox.height - 6);
  });
  marks.forEach(({ at, text }, index) => {
    const x = Math.round(u.valToPos(at, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.strokeStyle = '#6e7781';
    ctx.setLineDash([4, 4]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillStyle = '#424a53';
    ctx.fillText(text, x + 4, bbox.top + 12 + (index % 4) * 13);
  });
  ctx.restore();
} } });
plots.forEach((plot, index) => {
  const place = document.getElementById('plot' + index);
  const scales = [...new Set(plot.series.map((each) => each.scale))];
  const series = [{ label: plot.xLabel || 'time, s' }];
  const data = [plot.x];
  const bands = [];
  plot.series.forEach((each, number) => {
    const stroke = colours[number % colours.length];
    series.push({ label: each.label, scale: each.scale, stroke, width: 1.5, spanGaps: false, points: { show: each.low !== undefined } });
    data.push(each.values);
    if (each.low === undefined) return;
    for (const [name, values] of [['upper', each.high], ['lower', each.low]]) {
      series.push({ label: each.label + ', ' + name, scale: each.scale, stroke: stroke + '66', width: 1, points: { show: false } });
      data.push(values);
    }
    bands.push({ series: [series.length - 2, series.length - 1], fill: stroke + '22' });
  });
  new uPlot({
    title: plot.title,
    width: Math.min(1160, document.body.clientWidth),
    height: 280,
    scales: { x: { time: false }, '%': { range: [0, 100] } },
    axes: [
      { label: plot.xLabel || 'time, s' },
      ...scales.map((scale, number) => ({ scale, label: scale, side: number === 0 ? 3 : 1, grid: { show: number === 0 } })),
    ],
    series,
    bands,
    plugins: [marked(plot.marks, plot.spans)],
  }, data, place);
});
document.body.dataset.drawn = String(plots.length);
`;
