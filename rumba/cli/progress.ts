/** How a deployment is told on standard error: one line a phase, and with `verbose` one a step. */
import type { DeployEvent } from '../deploy/deploy.ts';

export function progress(write: (line: string) => void, verbose: boolean): (event: DeployEvent) => void {
  const started = performance.now();
  return (event) => {
    switch (event.type) {
      case 'phaseStarted':
      case 'stepFailed':
        break;
      case 'stepStarted':
        if (verbose) {
          const { node, command, text } = event.step;
          const since = ((performance.now() - started) / 1000).toFixed(3);
          write(`${since} ${command === undefined ? text : `${node} >> ${command}`}\n`);
        }
        break;
      case 'stepDone':
        // A long phase shows that it moves.
        if (event.done % 25 === 0 && event.done < event.total)
          write(`${event.step.phase} ${event.done}/${event.total}\n`);
        break;
      case 'phaseDone':
        write(`${event.phase} ${event.total}/${event.total}  ${Math.round(event.ms)} ms\n`);
        break;
    }
  };
}
