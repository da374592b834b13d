import { beforeAll, beforeEach, describe } from 'vitest';
import { DockerTestbed } from '../../rumba/testbeds/docker/testbed.ts';
import { impairmentCompliance } from '../compliance/impairments.ts';
import { noEngine } from './engine.ts';
import { prepared } from './image.ts';

describe('docker', () => {
  beforeEach(({ skip }) => skip(noEngine !== undefined, noEngine));
  beforeAll(async () => {
    if (noEngine === undefined) await prepared();
  }, 300_000);

  impairmentCompliance(new DockerTestbed(), 'wire');
});
