/** Numbers of benches, and numbers out of what programs print. */

/** The value in the middle; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/** To three digits. */
export function short(value: number): number {
  return Number(value.toPrecision(3));
}

/** The average of a ping's closing line, in us; undefined without one. */
export function averageOf(output: string): number | undefined {
  const match = /rtt min\/avg\/max\/mdev = [^/]+\/([^/]+)\/.* (\S+)\n/.exec(output);
  return match === null ? undefined : Number(match[1]) * (match[2] === 'ms' ? 1000 : 1);
}

/** How a cost grows with an amount: the power of it, by least squares of their logarithms. NaN of fewer than two amounts. */
export function exponentOf(points: readonly (readonly [amount: number, cost: number])[]): number {
  const logs = points.map(([amount, cost]) => [Math.log(amount), Math.log(cost)] as const);
  const mean = (pick: (point: readonly [number, number]) => number): number =>
    logs.reduce((sum, point) => sum + pick(point), 0) / logs.length;
  const [meanX, meanY] = [mean(([x]) => x), mean(([, y]) => y)];
  const covariance = mean(([x, y]) => (x - meanX) * (y - meanY));
  return covariance / mean(([x]) => (x - meanX) ** 2);
}
