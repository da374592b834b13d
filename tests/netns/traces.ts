/** What a lab of the netns testbed leaves on this machine, seen without the testbed's own means. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const kinds = ['ipc', 'mnt', 'net', 'pid', 'user', 'uts'];

interface Seen {
  pid: string;
  commandLine: string;
  namespaces: string[];
}

function processes(): Seen[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
        return [
          { pid, commandLine, namespaces: kinds.map((kind) => readlinkSync(`/proc/${pid}/ns/${kind}`)) },
        ];
      } catch {
        return [];
      }
    });
}

function hostInterfaces(): string[] {
  return readFileSync('/proc/net/dev', 'latin1')
    .split('\n')
    .flatMap((line) => /^\s*([^:\s]+):/.exec(line)?.[1] ?? []);
}

function isMarked(seen: Seen, lab: string): boolean {
  return seen.commandLine.includes('o7s-testbed:') && seen.commandLine.split(' ').includes(lab);
}

function describe(seen: Seen): string {
  return `process ${seen.pid}: ${seen.commandLine.slice(-80)}`;
}

/** The first processes of a lab and its nodes, which bear its name on their command line. */
export function markedProcesses(lab: string): string[] {
  return processes()
    .filter((each) => isMarked(each, lab))
    .map(describe);
}

/** Notes the namespaces of a running lab; the function it gives names what of the lab is still there. */
export function traceLab(lab: string): () => string[] {
  const own = new Set(kinds.map((kind) => readlinkSync(`/proc/self/ns/${kind}`)));
  const interfaces = new Set(hostInterfaces());
  const foreign = new Set(
    processes()
      .filter((each) => isMarked(each, lab))
      .flatMap((each) => each.namespaces)
      .filter((each) => !own.has(each)),
  );
  const belongs = (each: Seen): boolean =>
    isMarked(each, lab) || each.namespaces.some((namespace) => foreign.has(namespace));
  return () => [
    ...processes().filter(belongs).map(describe),
    ...hostInterfaces()
      .filter((each) => !interfaces.has(each))
      .map((each) => `interface ${each}`),
  ];
}
