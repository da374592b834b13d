/** Carries out what a configuration file asks for, one step after the other. Edge. Source: irmd-and-irm.md 2. */
import { realpathSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import { O7sError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { qosToJson, rawQos } from '../lib/qos.ts';
import type { NameFiles, SideFiles } from '../lib/rpc/api.ts';
import { readBounded } from './bounded-file.ts';
import {
  type Configuration,
  ConfigurationFault,
  type FileKey,
  type IpcpStep,
  type NameStep,
  readConfiguration,
} from './configuration.ts';
import type { Management } from './management.ts';

/** Longest configuration file, in bytes. */
const fileBytesMax = 1 << 20;

/** Applies a configuration file; whether all of it could be done. What could not is logged. */
export async function configure(file: string, management: Management, log: Logger): Promise<boolean> {
  let configuration: Configuration;
  try {
    const path = checkedPath(file, `Failed to check path for ${file}`);
    log.info(`Reading configuration from file ${path}`);
    const bytes = readBounded(path, fileBytesMax);
    if (bytes === 'not a file') throw new ConfigurationFault(`${path} is not a file.`);
    if (bytes === 'too long') throw new ConfigurationFault(`${path} has more than ${fileBytesMax} bytes.`);
    configuration = readConfiguration(bytes.toString('utf8'));
    for (const { isFault, text } of configuration.remarks) {
      if (isFault) log.error(text);
      else log.warn(text);
    }
    for (const step of configuration.steps) {
      if (step.kind === 'name') configureName(step, management);
      else await configureIpcp(step, management, log);
    }
    return true;
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    if (!(error instanceof ConfigurationFault || error instanceof O7sError) && code === undefined)
      throw error;
    for (const line of message.split('\n')) log.error(line);
    if (!(error instanceof ConfigurationFault && error.unreadable))
      log.error('Failed to load configuration.');
    log.error('Failed to load config file.');
    return false;
  }
}

function configureName({ name, policy, files, programs }: NameStep, management: Management): void {
  management.createName(name, policy, filesOf(files));
  for (const { path, auto } of programs) management.bindProgram(path, name, auto);
}

const fileKinds = { enc: 'encryption', crt: 'certificate', key: 'key' } as const;

function filesOf(given: ReadonlyMap<FileKey, string>): NameFiles {
  const files: { server: Record<string, string>; client: Record<string, string> } = {
    server: {},
    client: {},
  };
  for (const [key, path] of given) {
    const [side, kind] = key.split('_') as [keyof NameFiles, keyof typeof fileKinds];
    files[side][fileKinds[kind] satisfies keyof SideFiles] = checkedPath(
      path,
      `Failed to check path ${path}`,
    );
  }
  return files;
}

async function configureIpcp(step: IpcpStep, management: Management, log: Logger): Promise<void> {
  const { name, type, bootstrap, enrol, autobind, reg, conn } = step;
  const { pid } = await management.createIpcp(name, type);
  let layer = bootstrap?.layer;
  if (type === 'unicast' && bootstrap !== undefined) {
    log.info('Using DHT directory policy.');
    log.info('Using Link State routing policy.');
  }
  if (enrol !== undefined) ({ layer } = await management.enrollIpcp(pid, enrol, null));
  else if (bootstrap !== undefined) await management.bootstrapIpcp(pid, bootstrap.layer, bootstrap.config);
  if (autobind) {
    for (const served of new Set(layer === undefined ? [name] : [name, layer])) {
      await management.bindProcess(pid, served);
    }
  }
  for (const each of reg) await management.registerName(each, pid);
  if (enrol === undefined) return;
  for (const destination of conn) {
    for (const component of type === 'broadcast' ? (['dt'] as const) : (['mgmt', 'dt'] as const)) {
      await management.connectIpcp(pid, destination, component, qosToJson(rawQos));
    }
  }
}

/** The path that a path leads to. */
function checkedPath(path: string, complaint: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const { errno = 0, code } = error as NodeJS.ErrnoException;
    const [, text = code ?? ''] = getSystemErrorMap().get(errno) ?? [];
    throw new ConfigurationFault(`${complaint}: ${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`);
  }
}
