/**
 * The agent of a lab: the one program of its helper container, in the host's PID namespace. It does what
 * takes rights that the command line does not have: it wires nodes, reaches into their file systems,
 * and ends the nodes of a lab whose maker is gone.
 *
 * Started as `lab-agent owner SESSION` it belongs to the lab that is being made: when its standard
 * input ends before `keep`, so does the lab. Started as `lab-agent guest` it serves one connection.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TestbedError } from '../../../errors.ts';
import { listLogs, readLog } from '../../log-files.ts';
import { programsOf } from '../../netns/processes.ts';
import { Wiring } from '../../../links/wiring.ts';
import { connectWire, wireCommand, wireOf } from '../../../wire/client.ts';
import {
  adopt,
  endMarked,
  endPrograms,
  isProgramAlive,
  keepMarked,
  logFolder,
  nodeFile,
  signalPrograms,
  startProgram,
  writeRecord,
} from './nodes.ts';
import {
  type AgentApi,
  type AgentError,
  type AgentMethod,
  type FromAgent,
  LineReader,
  type ToAgent,
  windowBytes,
} from './protocol.ts';
import { run } from './run.ts';

/** Where the lab's wire listens. */
const wireSocket = '/run/o7s-testbed/wire.sock';

/** How long a program has to end by itself, in milliseconds. */
const endMs = 5_000;

/** The build puts it in. */
declare const O7S_VERSION: string;

type Handlers = {
  readonly [M in AgentMethod]: (
    params: AgentApi[M]['params'],
    signal: AbortSignal,
  ) => Promise<AgentApi[M]['result']>;
};

const [role, session = ''] = process.argv.slice(2);
// Bridges of LANs are in the network of the helper, of which this is a process.
const wiring = new Wiring({
  labPid: process.pid,
  run: (pid, command, signal) =>
    run(pid === process.pid ? command : ['nsenter', '--target', String(pid), '--net', ...command], signal),
  wire: (start, signal) => wireOf(() => connectWire(wireSocket, signal), start, signal, startWire),
});
const streams = new Map<number, { socket: Socket; underWay: number }>();
const running = new Map<number, AbortController>();
let kept = false;

const handlers: Handlers = {
  adopt: ({ init }, signal) => adopt(init, signal),
  addCable: ({ link, inits }, signal) => done(wiring.addCable(link, inits, signal)),
  addLan: ({ name, mtu }, signal) => done(wiring.addLan(name, mtu, signal)),
  removeLan: ({ name }, signal) => done(wiring.removeLan(name, signal)),
  plug: ({ lan, end, init }, signal) => done(wiring.plug(lan, end, init, signal)),
  impair: ({ link, impairments, options }, signal) => done(wiring.impair(link, impairments, options, signal)),
  setLink: ({ link, state, node }, signal) => done(wiring.setLink(link, state, node, signal)),
  linkStates: ({ links, mend }, signal) => wiring.states(links, mend, signal),
  removeInterface: ({ init, device }, signal) => done(wiring.remove(device, init, signal)),
  addAddress: ({ node, init, words }, signal) =>
    done(wiring.addAddress({ name: node, pid: init }, words, signal)),
  removeAddress: ({ node, init, words }, signal) =>
    done(wiring.removeAddress({ name: node, pid: init }, words, signal)),
  setInterfaces: ({ init, state }, signal) => done(wiring.setAll(init, state, signal)),
  start: startProgram,
  alive: async (program) => isProgramAlive(program),
  end: ({ node, init, log }, signal) => done(endPrograms({ node, init, log, graceMs: endMs }, signal)),
  programs: async ({ init }) => [...programsOf(init).keys()],
  endAll: ({ node, init, graceMs }, signal) => done(endPrograms({ node, init, graceMs }, signal)),
  signalAll: async ({ init, name }) => {
    signalPrograms(init, name);
    return null;
  },
  logs: async ({ init }) => listLogs(logFolder(init)),
  readLog: async ({ init, name, from }) => (await readLog(logFolder(init), name, from)).toString('base64'),
  keep: async ({ record }) => {
    writeRecord(record);
    keepMarked(session);
    kept = true;
    return null;
  },
  save: async ({ record }) => {
    writeRecord(record);
    return null;
  },
  connect: async ({ init, path, stream }, signal) => {
    await connectStream(stream, nodeFile(init, path), signal);
    return null;
  },
};

const reader = new LineReader<ToAgent>(received);
process.stdin.on('data', (chunk) => reader.push(chunk));
process.stdin.once('error', () => void disconnected());
process.stdin.once('end', () => void disconnected());
// The command line may be gone in the middle of an answer.
process.stdout.on('error', () => {});
send({ ready: O7S_VERSION });

function send(message: FromAgent): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function disconnected(): Promise<void> {
  for (const controller of running.values()) controller.abort();
  for (const { socket } of streams.values()) socket.destroy();
  if (role === 'owner' && kept) {
    // A kept lab keeps its helper: later commands start a guest beside this process.
    setInterval(() => {}, 2 ** 31 - 1);
    return;
  }
  if (role === 'owner') await endMarked(session);
  process.exit();
}

function received(message: ToAgent): void {
  if ('stream' in message) {
    const stream = streams.get(message.stream);
    if ('taken' in message) {
      if (stream !== undefined) goOn(stream, message.taken);
    } else if (message.data === null) {
      stream?.socket.end();
    } else {
      const bytes = Buffer.from(message.data, 'base64');
      stream?.socket.write(bytes, () => send({ stream: message.stream, taken: bytes.length }));
    }
  } else if ('cancel' in message) {
    running.get(message.cancel)?.abort();
  } else {
    void serve(message.id, message.method, message.params);
  }
}

/** The wire of the lab runs in this container, and ends with it. */
async function startWire(): Promise<void> {
  const bundle = fileURLToPath(new URL('wire.cjs', import.meta.url));
  mkdirSync(dirname(wireSocket), { recursive: true });
  const [file = '', ...words] = wireCommand([process.execPath, bundle], wireSocket);
  const child = spawn(file, words, { detached: true, stdio: 'ignore' });
  await once(child, 'spawn');
  child.unref();
}

async function done(work: Promise<void>): Promise<null> {
  await work;
  return null;
}

async function serve<M extends AgentMethod>(
  id: number,
  method: M,
  params: AgentApi[M]['params'],
): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    send({ id, result: await handlers[method](params, controller.signal) });
  } catch (error) {
    send({ id, error: describe(error) });
  } finally {
    running.delete(id);
  }
}

async function connectStream(stream: number, path: string, signal: AbortSignal): Promise<void> {
  const socket = connect(path);
  try {
    await once(socket, 'connect', { signal });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  const open = { socket, underWay: 0 };
  streams.set(stream, open);
  socket.on('data', (bytes) => {
    send({ stream, data: bytes.toString('base64') });
    open.underWay += bytes.length;
    if (open.underWay >= windowBytes) socket.pause();
  });
  socket.on('error', () => {});
  socket.once('close', () => {
    streams.delete(stream);
    send({ stream, data: null });
  });
}

function goOn(open: { socket: Socket; underWay: number }, taken: number): void {
  open.underWay -= taken;
  if (open.underWay < windowBytes) open.socket.resume();
}

function describe(error: unknown): AgentError {
  if (error instanceof TestbedError) {
    const { code, message, hint } = error;
    return { code, message, ...(hint === undefined ? {} : { hint }) };
  }
  const { message, code }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  return { code: 'EFAILED', message, ...(code === undefined ? {} : { errno: String(code) }) };
}
