/** Where a node keeps its sockets. */

/** `/run/ouroboros`, unless the environment moves it: several runtimes in one file system, tests. */
export function runDirectory(): string {
  return process.env['O7S_RUN_DIR'] ?? '/run/ouroboros';
}

/** The socket applications speak to irmd on. */
export function applicationSocket(directory: string = runDirectory()): string {
  return `${directory}/irmd.sock`;
}

/** The socket management speaks to irmd on. */
export function managementSocket(directory: string = runDirectory()): string {
  return `${directory}/irm.sock`;
}
