/** The engine as the docker command sees it: without the testbed's own means. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Why there is no engine to test with; undefined where there is one. */
export const noEngine = ((): string | undefined => {
  try {
    docker('version');
    return undefined;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    return `no Docker engine answers: ${(stderr || String(error)).trim().split('\n')[0]}`;
  }
})();

/** What a docker command writes. Throws when it fails. */
export function docker(...words: readonly string[]): string {
  return execFileSync('docker', words, { encoding: 'utf8', timeout: 60_000, stdio: 'pipe' }).trim();
}

/** Containers of a lab, in whatever state. */
export function containersOf(lab: string): string[] {
  const filter = ['--filter', `label=o7s.testbed.lab=${lab}`];
  return lines(docker('ps', '-a', ...filter, '--format', '{{.Names}} {{.Status}}'));
}

/** Containers and processes of a lab; a process outside of any container that bears its name too. */
export function leftOf(lab: string): string[] {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => ({ pid, words: commandLine(pid) }))
    .filter(({ words }) => words.includes(lab) && words.some((word) => /^o7s-testbed:|lab-agent/.test(word)));
  return [
    ...containersOf(lab).map((each) => `container ${each}`),
    ...processes.map(({ pid, words }) => `process ${pid}: ${words.join(' ').slice(-80)}`),
  ];
}

/** What no lab adds to: networks and volumes of the engine, interfaces of this machine, files of ours. */
export function surroundings(): Record<string, string[]> {
  return {
    networks: lines(docker('network', 'ls', '-q')),
    volumes: lines(docker('volume', 'ls', '-q')),
    interfaces: lines(readFileSync('/proc/net/dev', 'latin1')).map((line) => line.split(':')[0] ?? ''),
    namespaces: readdirSync('/run', { withFileTypes: true }).flatMap((entry) =>
      entry.name === 'netns' ? readdirSync('/run/netns') : [],
    ),
  };
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
  } catch {
    return [];
  }
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}
