/** Where a node keeps its sockets, and where its administrator keeps what it is configured with. */

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

/** `/etc/ouroboros`, unless the environment moves it. */
export function configurationDirectory(): string {
  return process.env['O7S_CONFIG_DIR'] ?? '/etc/ouroboros';
}
