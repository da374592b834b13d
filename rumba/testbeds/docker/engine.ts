/** The Docker engine: found, spoken to, and its errors in our words. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import type Dockerode from 'dockerode';
import { abortable } from '../../abortable.ts';
import { TestbedError } from '../../errors.ts';

/** How long an engine has to show that it is there, and, once it took the connection, to answer, in milliseconds. */
const connectMs = 5_000;
const answerMs = 30_000;

/** How long it has for one request, in milliseconds: starting a container on a busy machine takes seconds. */
const requestMs = 120_000;

export class Engine {
  readonly docker: Dockerode;
  /** As DOCKER_HOST names it. */
  readonly address: string;

  private constructor(docker: Dockerode, address: string) {
    this.docker = docker;
    this.address = address;
  }

  /** The engine that DOCKER_HOST names, else the one of this machine. Rejects with EENVIRONMENT. */
  static async connect(signal?: AbortSignal): Promise<Engine> {
    const address = await engineAddress();
    const socket = socketPath(address);
    const within = (ms: number): AbortSignal =>
      AbortSignal.any([AbortSignal.timeout(ms), ...(signal === undefined ? [] : [signal])]);
    // A busy engine on this machine takes a connection at once, and its time to answer.
    const deadlineMs = socket === undefined ? connectMs : answerMs;
    try {
      // Loading the client takes longer than finding that nobody is there.
      if (socket !== undefined) await abortable(tryConnect(socket), within(connectMs));
      const { default: Docker } = await import('dockerode');
      const docker = new Docker(socket === undefined ? {} : { socketPath: socket });
      await abortable(docker.ping(), within(deadlineMs));
      return new Engine(docker, address);
    } catch (error) {
      signal?.throwIfAborted();
      throw unreachable(address, error, deadlineMs);
    }
  }

  /**
   * Waits for a request to the engine. A request is not given up when the command is interrupted, since
   * the engine would go on with it: what it makes could not be removed any more.
   */
  async request<T>(what: string, work: Promise<T>): Promise<T> {
    const deadline = AbortSignal.timeout(requestMs);
    try {
      return await abortable(work, deadline);
    } catch (error) {
      if (deadline.aborted) {
        throw new TestbedError('ETIMEDOUT', `the Docker engine did not ${what} in ${requestMs / 1000} s`);
      }
      throw this.failure(what, error);
    }
  }

  /** An error of the engine as one of ours. */
  failure(what: string, error: unknown): TestbedError {
    const { code, json } = error as { code?: string; json?: { message?: string } | null };
    const text = json?.message ?? (error instanceof Error ? error.message : String(error));
    if (code !== undefined && lostCodes.has(code)) {
      return new TestbedError(
        'EENVIRONMENT',
        `the Docker engine at ${this.address} is gone: cannot ${what}`,
        {
          hint: 'start it again, then remove what is left: o7s-testbed clean',
          cause: error,
        },
      );
    }
    return engineFailure(what, text, error);
  }
}

const lostCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'EPIPE']);

/** What an engine said it could not do. */
export function engineFailure(what: string, text: string, cause?: unknown): TestbedError {
  const reason = text.trim().replaceAll(/\s*\n\s*/g, ' ');
  if (/no space left on device/i.test(reason)) {
    return new TestbedError('EENVIRONMENT', `cannot ${what}: the disk of the Docker engine is full`, {
      hint: 'see what takes it with "docker system df", free some with "docker system prune", and try again',
      cause,
    });
  }
  return new TestbedError('EFAILED', `cannot ${what}: ${reason}`, { cause });
}

/** The HTTP status of an error that the engine gave; undefined for any other. */
export function statusOf(error: unknown): number | undefined {
  const source = error instanceof TestbedError ? error.cause : error;
  return (source as { statusCode?: number } | undefined)?.statusCode;
}

/** True for the error of an engine that took the connection and did not answer in time. */
export function isSilent(error: unknown): boolean {
  return error instanceof TestbedError && (error.cause as Error | undefined)?.name === 'TimeoutError';
}

/** True when DOCKER_HOST names an engine, so that its absence is worth a word. */
export function isEngineNamed(): boolean {
  return Boolean(process.env['DOCKER_HOST']);
}

async function engineAddress(): Promise<string> {
  const named = process.env['DOCKER_HOST'];
  if (named) return named;
  const own = `${homedir()}/.docker/run/docker.sock`;
  try {
    await access(own, constants.F_OK);
    return `unix://${own}`;
  } catch {
    return 'unix:///var/run/docker.sock';
  }
}

function socketPath(address: string): string | undefined {
  return address.startsWith('unix://') ? address.slice('unix://'.length) : undefined;
}

async function tryConnect(path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(path);
  socket.once('connect', resolve);
  socket.once('error', reject);
  await promise.finally(() => socket.destroy());
}

function unreachable(address: string, error: unknown, deadlineMs: number): TestbedError {
  const { code, message, name } = error as NodeJS.ErrnoException;
  if (code === 'EACCES') {
    return new TestbedError('EENVIRONMENT', `no permission to use the Docker engine at ${address}`, {
      hint: 'join its group (sudo usermod -aG docker $USER, then log in again), or use --testbed netns',
      cause: error,
    });
  }
  const reason =
    { ENOENT: 'there is no such socket', ECONNREFUSED: 'nobody listens', ENOTFOUND: 'there is no such host' }[
      code ?? ''
    ] ?? (name === 'TimeoutError' ? `nothing in ${deadlineMs / 1000} s` : message);
  return new TestbedError('EENVIRONMENT', `no Docker engine answers at ${address}: ${reason}`, {
    hint: `${isEngineNamed() ? 'start it or correct DOCKER_HOST' : 'start one (sudo systemctl start docker), install one (sudo apt-get install docker.io)'}, or use --testbed netns`,
    cause: error,
  });
}
