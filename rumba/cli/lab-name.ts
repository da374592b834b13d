/** Which lab is meant. */
import { basename } from 'node:path';
import { TestbedError } from '../errors.ts';
import { nameFault } from '../model/names.ts';

/** The name of a lab to make: as asked for, else the topology's own, else the file's without its ending. */
export function labName(sources: {
  asked: string | undefined;
  own: string | undefined;
  file: string;
}): string {
  const { asked, own, file } = sources;
  const name = asked ?? own ?? basename(file).replace(/(\.topo)?\.[cm]?[jt]s$/, '');
  const fault = nameFault('lab', name);
  if (fault === undefined) return name;
  const hint = asked === undefined ? { hint: 'give another with --lab NAME' } : {};
  throw new TestbedError('EUSAGE', `the lab name ${JSON.stringify(name)} ${fault}`, hint);
}

/** The lab that is asked for, else the only one. Throws EUSAGE, listing the labs there are. */
export function chooseLab<T extends { readonly name: string; readonly testbed?: string }>(
  labs: readonly T[],
  asked: string | undefined,
): T {
  const names = labs.map((lab) => lab.name).join(', ');
  const found = asked === undefined ? labs : labs.filter((lab) => lab.name === asked);
  const [lab] = found;
  if (lab !== undefined && found.length === 1) return lab;
  if (labs.length === 0) {
    throw new TestbedError(
      'EUSAGE',
      asked === undefined ? 'no lab is running' : `no lab named ${asked} is running, nor any other`,
      {
        hint: 'start one with "o7s-testbed up FILE"',
      },
    );
  }
  if (asked === undefined) {
    throw new TestbedError('EUSAGE', `several labs are running: ${names}`, {
      hint: 'choose one with --lab NAME',
    });
  }
  if (found.length > 1) {
    const where = found.map((each) => each.testbed ?? '').join(' and ');
    throw new TestbedError('EUSAGE', `labs named ${asked} are running on ${where}`, {
      hint: 'choose by the variable O7S_TESTBED',
    });
  }
  throw new TestbedError('EUSAGE', `no lab named ${asked} is running`, { hint: `running: ${names}` });
}
