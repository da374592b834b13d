import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { Experiment } from '../../rumba/storyboard/experiment.ts';
import { nodeImage } from '../../rumba/testbeds/docker/node-image.ts';
import { NetnsTestbed } from '../../rumba/testbeds/netns/testbed.ts';
import { expectBundle, playFaults } from '../compliance/storyboards.ts';
import { noEngine } from './engine.ts';
import { prepared } from './image.ts';

beforeEach(({ skip }) => skip(noEngine !== undefined, noEngine));
beforeAll(async () => {
  if (noEngine === undefined) await prepared();
}, 300_000);

test('a storyboard goes as it does on netns', async () => {
  const played = await playFaults('docker');
  expect({ code: played.code, stderr: played.stderr }).toMatchObject({ code: 0 });
  expectBundle(played);
  const other = await playFaults(new NetnsTestbed().name);
  expect(other.plan).toBe(played.plan);
  expect(other.outcome).toEqual(played.outcome);
  const { images } = JSON.parse(readFileSync(join(played.folder, 'run.json'), 'utf8')) as Experiment;
  expect(Object.keys(images)).toEqual([nodeImage]);
  expect(Object.values(images)).toEqual([expect.stringMatching(/^sha256:[0-9a-f]{64}$/)]);
});
