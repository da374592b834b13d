/**
 * What runs in a node's container before anything of ours does. Plain `sh` with coreutils and
 * util-linux, since any image with an irmd can be a node.
 *
 * Programs are started through a FIFO and not by the engine: a program is then an ordinary process of
 * the container, with its rights and limits, and starting it costs a fork instead of 60 ms.
 */
import { logVariable } from '../netns/processes.ts';

/** Folder of the testbed inside the /run of each node. */
export const runDirectory = '/run/o7s-testbed';

/** A node that has this file belongs to a lab that was completed. */
export const keptFile = `${runDirectory}/kept`;

/** Word by which the first process of a node is known; the lab, the node and the session follow. */
export const containerMark = 'o7s-testbed:container';

/** How long a node waits for its lab to take it over before it ends, in seconds. */
const adoptionSeconds = 30;

/** First program of a node. It ends by itself when nobody takes it over: its lab was given up. */
export const launcher = `cd ${runDirectory} 2>/dev/null || { mkdir -p ${runDirectory}/start && cd ${runDirectory}; } || exit 1
mkfifo requests || exit 1
exec 3<>requests
timeout ${adoptionSeconds} sh -c 'read -r word <&3' || exit 1
while read -r id <&3; do (setsid sh "start/$id" 3<&- &); done`;

/** A program to be started: it notes its number, then becomes the command, its output in a log. */
export function startScript(id: string, log: string, command: readonly string[]): string {
  return `cd /
echo $$ >${runDirectory}/start/${id}.pid
export ${logVariable}=${quote(log)}
exec ${command.map(quote).join(' ')} </dev/null >>${runDirectory}/${quote(`${log}.log`)} 2>&1
`;
}

/** Variable of the environment by which a command that the engine started is known. */
export const executionVariable = 'O7S_EXECUTION';

/** Becomes a command; the shell gives 127 and a line of its own where the engine would give a long one. */
export const becomeCommand = 'exec "$@"';

/**
 * Sends signal $2 to the process that the engine started as $1, whose parent is outside the container; with `all` as $3
 * also to what that has started, until there is nothing that has not been told. The engine gives it a session of its own;
 * a process that begins a program, whose environment cannot be seen meanwhile, is known by that.
 */
export const signalExecution = `told=' ' sessions=' ' tries=0
while :; do
  new=
  for process in /proc/[0-9]*; do
    pid=\${process#/proc/}
    case $told in *" $pid "*) continue;; esac
    { read -r stat <"$process/stat"; } 2>/dev/null || continue
    rest=\${stat##*) ? }
    parent=\${rest%% *}
    rest=\${rest#* * }
    session=\${rest%% *}
    [ "$3" = all ] || [ "$parent" = 0 ] || continue
    case $sessions in
      *" $session "*) ;;
      *)
        grep -qs "${executionVariable}=$1" "$process/environ" || continue
        [ "$session" = 0 ] || sessions="$sessions$session "
        ;;
    esac
    kill -s "$2" "$pid" 2>/dev/null
    told="$told$pid "
    new=1
  done
  [ -z "$new" ] || continue
  # The command itself may be about to begin.
  [ "$told" = ' ' ] && [ "$tries" -lt 10 ] || break
  tries=$((tries + 1))
  sleep 0.05
done`;

/** A word for a shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
