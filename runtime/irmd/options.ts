/** irmd's command line. Source: irmd-and-irm.md 1.1. */

export interface IrmdOptions {
  readonly action: 'run' | 'version' | 'usage';
  readonly json: boolean;
  /** Whether all IPCPs share one process, or each has its own. */
  readonly ipcpd: 'shared' | 'process';
}

export const irmdUsage = `Usage: irmd [OPTION]...
Runs the IPC Resource Manager of this node in the foreground.

      --stdout       Log to standard output (always so here; accepted for scripts)
      --log-json     Log one JSON object a line
      --ipcpd MODE   shared: one process runs all IPCPs (default); process: one each
      --version      Show the version and end
`;

/** Reads the arguments from left to right: the first that asks for something else than to run decides. */
export function parseIrmdOptions(args: readonly string[]): IrmdOptions {
  let json = false;
  let ipcpd: IrmdOptions['ipcpd'] = 'shared';
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at];
    if (arg === '--version') return { action: 'version', json, ipcpd };
    const mode = args[at + 1];
    if (arg === '--ipcpd' && (mode === 'shared' || mode === 'process')) {
      ipcpd = mode;
      at += 1;
    } else if (arg === '--log-json') json = true;
    else if (arg !== '--stdout') return { action: 'usage', json, ipcpd };
  }
  return { action: 'run', json, ipcpd };
}
