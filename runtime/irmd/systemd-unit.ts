/** The unit by which systemd runs this irmd. */

/** @param command words of the command line of irmd. */
export function systemdUnit(command: readonly string[]): string {
  return `[Unit]
Description=Ouroboros IPC Resource Manager
After=network-pre.target

[Service]
Type=exec
ExecStart=${command.map(quoted).join(' ')}
# irmd ends its IPCPs and the processes it knows by itself.
KillMode=mixed
TimeoutStopSec=35
Restart=on-failure
RuntimeDirectory=ouroboros
# A descriptor a flow.
LimitNOFILE=65536

[Install]
WantedBy=multi-user.target
`;
}

/** A word of ExecStart: blanks stay in it, and % and $ mean themselves. */
function quoted(word: string): string {
  const escaped = word
    .replaceAll('\\', '\\\\')
    .replaceAll('"', String.raw`\"`)
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$');
  return /[\s"'\\;]/.test(word) ? `"${escaped}"` : escaped;
}
