/**
 * What runs inside a lab before anything of ours does. Plain `sh` with the tools of util-linux and
 * iproute2, so that the process that holds a lab costs next to nothing.
 *
 * File descriptor 3 is the caller's /proc: through it a process learns the number it has outside.
 * The first process of a PID namespace inherits all orphans; because it does not care for SIGCHLD, they
 * are collected as they end. It reads, for ever, a FIFO that only it and its like hold open.
 */

/** Folder of the testbed inside the /run of a lab and of each node. */
export const runDirectory = '/run/o7s-testbed';

/** Folder of the node's configuration, where it has one of its own. */
export const configDirectory = `${runDirectory}/config`;

/** Starts `sh -c $0 $@` as the first process of the PID namespace that was just made. */
export const fork = 'sh -c "$0" "$@" &';

/** The same, with descriptor 4 as standard input. */
export const forkReading4 = 'sh -c "$0" "$@" <&4 4<&- &';

/**
 * First process of a lab; writes its number, then reads a line. The other end is held by the process
 * that builds the lab: "keep" makes the lab stay, and the end of the file takes it down. It is read by a shell of its
 * own: the end of an orphan interrupts what the first one reads.
 */
export const labInit = `set -e
read -r pid rest </proc/self/fd/3/self/stat
exec 3<&-
mount -t tmpfs -o mode=755 tmpfs /run
mkdir ${runDirectory}
mkfifo ${runDirectory}/forever
mount -t proc proc /proc 2>/dev/null || :
[ ! -d /dev/shm ] || mount -t tmpfs -o mode=1777 tmpfs /dev/shm
echo "$pid"
exec >/dev/null 2>&1
trap '' CHLD
word=$(read -r word && echo "$word")
[ "$word" = keep ]
exec <>${runDirectory}/forever
while :; do read -r word || :; done`;

/** First process of a node, $2, of the runtime at prefix $4, empty for ours; writes its number. */
export const nodeInit = `set -e
read -r pid rest </proc/self/fd/3/self/stat
exec 3<&- <>${runDirectory}/forever
mount -t tmpfs -o mode=755 tmpfs /run
mkdir ${runDirectory}
mount -t proc proc /proc 2>/dev/null || :
mount -t sysfs sysfs /sys 2>/dev/null || :
[ ! -d /dev/shm ] || mount -t tmpfs -o mode=1777 tmpfs /dev/shm
[ -z "$4" ] || mount -t tmpfs -o mode=1777 tmpfs /tmp
(umask 022; printf '%s\\n' '127.0.0.1 localhost' '::1 localhost ip6-localhost ip6-loopback' "127.0.1.1 $2" >${runDirectory}/hosts)
[ ! -e /etc/hosts ] || mount --bind ${runDirectory}/hosts /etc/hosts
hostname "$2"
ip link set lo up
echo "$pid"
exec >/dev/null 2>&1
trap '' CHLD
while :; do read -r word || :; done`;

/** Makes the folder $1 of a node's configuration anew. */
export const emptyFolder = 'rm -rf "$1" && mkdir -p "$1"';

/**
 * The same for folder $1 below /etc, for a runtime that looks there: the node gets an /etc of its own, over that of
 * the machine.
 */
export const emptyBelowEtc = `set -e
own=${runDirectory}/etc
if [ ! -d "$own" ]; then
  mkdir -p "$own/changes" "$own/work"
  mount -t overlay -o "lowerdir=/etc,upperdir=$own/changes,workdir=$own/work" overlay /etc
  mount --bind ${runDirectory}/hosts /etc/hosts
fi
rm -rf "$1"
mkdir -p "$1"`;

/** Starts a program in the background: $0 is `program` below, the rest its log and its words. */
export const background = 'setsid sh -c "$0" "$@" &';

/** Writes its number in the node and outside, then becomes the program, its output in log $0. */
export const program = `read -r pid rest </proc/self/fd/3/self/stat
echo "$$ $pid"
exec "$@" 3<&- </dev/null >>${runDirectory}/"$0".log 2>&1`;

/** Joins control groups, by the files $1 lists, one a line, then becomes a command. */
export const joinGroups = `printf '%s\\n' "$1" | while read -r file; do
  [ -z "$file" ] || echo $$ >"$file" || exit 1
done || exit 1
shift; exec "$@"`;

/** Becomes a command in folder $1 where the node has that folder. */
export const inFolder = 'cd "$1" 2>/dev/null; shift; exec "$@"';
