import { beforeEach } from 'vitest';
import { linkSuite, type MakeLink } from '../compliance/link.ts';
import { NamespacePair, namespacesMissing } from '../support/namespaces.ts';
import { RelayedDevice } from '../support/relayed-device.ts';

const missing = namespacesMissing();

const makeLink: MakeLink = async (protocol, [first, second]) => {
  const pair = await NamespacePair.make();
  const devices = await Promise.all([
    RelayedDevice.open(pair.a, 'eth0', protocol, first),
    RelayedDevice.open(pair.b, 'eth0', protocol, second),
  ]);
  return {
    devices,
    setSilent: async (silent) => {
      // What was sent before meets the link as it was.
      await Promise.all(devices.map((device) => device.sent()));
      await pair.b.run('ip', 'link', 'set', 'eth0', silent ? 'down' : 'up');
    },
    async [Symbol.asyncDispose]() {
      for (const device of devices) await device[Symbol.asyncDispose]();
      await pair[Symbol.asyncDispose]();
    },
  };
};

beforeEach(({ skip }) => skip(missing !== undefined, missing));
linkSuite('veth', makeLink);
