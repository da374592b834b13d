/** irmd's command line. Source: irmd-and-irm.md 1.1. */

export interface IrmdOptions {
  readonly action: 'run' | 'version' | 'usage';
  readonly json: boolean;
}

export const irmdUsage = `Usage: irmd [OPTION]...
Runs the IPC Resource Manager of this node in the foreground.

      --stdout       Log to standard output (always so here; accepted for scripts)
      --log-json     Log one JSON object a line
      --version      Show the version and end
`;

/** Reads the arguments from left to right: the first that asks for something else than to run decides. */
export function parseIrmdOptions(args: readonly string[]): IrmdOptions {
  let json = false;
  for (const arg of args) {
    if (arg === '--version') return { action: 'version', json };
    if (arg === '--log-json') json = true;
    else if (arg !== '--stdout') return { action: 'usage', json };
  }
  return { action: 'run', json };
}
