/** irmd's command line. Source: irmd-and-irm.md 1.1. */
import type { LogOptions } from '../lib/daemon-log.ts';
import { logLevels } from '../lib/log.ts';

export interface IrmdOptions {
  readonly action: 'run' | 'version' | 'usage' | 'unit';
  readonly log: LogOptions;
  /** A configuration to apply after the start. */
  readonly config: string | undefined;
  /** Whether all IPCPs share one process, or each has its own. */
  readonly ipcpd: 'shared' | 'process';
  /** Where the tree of the RIB is written. */
  readonly rib: string | undefined;
}

export const irmdUsage = `Usage: irmd [OPTION]...
Runs the IPC Resource Manager of this node in the foreground.

      --config FILE  Apply a configuration (TOML) after the start
      --stdout       Log to standard output instead of syslog
      --log-json     Log to standard output, one JSON object a line
      --log-level L  Log what is as severe as L: EE, WW, II (default) or DB; irm log-level changes it
      --ipcpd MODE   shared: one process runs all IPCPs (default); process: one each
      --rib DIR      Write what IPCPs and flows count into files below DIR, each second
      --unit         Print a unit of systemd that runs this irmd, and end
      --version      Show the version and end
`;

/** Reads the arguments from left to right: the first that asks for something else than to run decides. */
export function parseIrmdOptions(args: readonly string[]): IrmdOptions {
  let to: LogOptions['to'] = 'syslog';
  let level: LogOptions['level'] = 'II';
  let config: string | undefined;
  let ipcpd: IrmdOptions['ipcpd'] = 'shared';
  let rib: string | undefined;
  const options = (action: IrmdOptions['action']): IrmdOptions => ({
    action,
    log: { level, to },
    config,
    ipcpd,
    rib,
  });
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at];
    const value = args[at + 1];
    switch (arg) {
      case '--version':
        return options('version');
      case '--unit':
        return options('unit');
      case '--stdout':
        if (to === 'syslog') to = 'stdout';
        break;
      case '--log-json':
        to = 'json';
        break;
      case '--config':
        // As the last word it names no file, and the manual lets that pass.
        config = value;
        at += 1;
        break;
      case '--log-level': {
        const known = logLevels.find((each) => each === value);
        if (known === undefined) return options('usage');
        level = known;
        at += 1;
        break;
      }
      case '--rib':
        if (value === undefined || value === '') return options('usage');
        rib = value;
        at += 1;
        break;
      case '--ipcpd':
        if (value !== 'shared' && value !== 'process') return options('usage');
        ipcpd = value;
        at += 1;
        break;
      default:
        return options('usage');
    }
  }
  return options('run');
}
