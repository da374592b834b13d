import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configFromMessage, type LayerConfig, type UnicastSettings } from './layer-config.ts';
import {
  decodeAck,
  decodeRequest,
  decodeResponse,
  encodeAck,
  encodeRequest,
  encodeResponse,
  type Request,
  type Response,
} from './message.ts';

const hex = (...parts: string[]): Buffer => Buffer.from(parts.join('').replaceAll(' ', ''), 'hex');

const settings: UnicastSettings = {
  eidSize: 8,
  maxTtl: 60,
  routing: 'link_state',
  lsRecalc: 4,
  lsUpdate: 15,
  lsTimeout: 60,
  dhtAlpha: 3,
  dhtK: 8,
  dhtExpire: 86_400,
  dhtRefresh: 900,
  dhtReplicate: 900,
  congestion: 'mb-ecn',
};
const unicast: LayerConfig = { name: 'uni', hash: 'SHA3_256', unicast: settings };

/** The annotated enrolment of unicast-layer.md 4.8. */
const id = hex('ae8e34d2f8f325ab');
const plain = { extensions: 0, layer: undefined, type: undefined, address: undefined } as const;
const requestBytes = hex('0a08 ae8e34d2f8f325ab');
const responseBytes = hex(
  '0a08 ae8e34d2f8f325ab 10 d6de88d806 18 fabce136 2000 2a41',
  '0a07 0a03 756e69 1001 1001 1a34',
  '0a14 0804 1008 183c 220c 0800 1208 0800 1004 180f 203c',
  '1218 0800 1214 0803 1008 1880a305 208407 288407 30d8c9ad8407',
  '1800 2001',
);
const response: Response = {
  id,
  time: 1_795_305_302_114_843_258n,
  response: 0,
  extensions: 0,
  reason: undefined,
  address: undefined,
  layer: { config: unicast, type: 1, peer: 0x708b64d8 },
};

describe('the enrolment of the documents', () => {
  test('request', () => {
    expect(decodeRequest(requestBytes)).toEqual({ id, ...plain });
    expect(encodeRequest({ id, ...plain }).equals(requestBytes)).toBe(true);
  });

  test('response', () => {
    expect(decodeResponse(responseBytes)).toEqual(response);
    expect(encodeResponse(response).toString('hex')).toBe(responseBytes.toString('hex'));
  });

  test('acknowledgement', () => {
    const bytes = hex('0a08 ae8e34d2f8f325ab 1000');
    expect(decodeAck(bytes)).toEqual({ id, result: 0 });
    expect(encodeAck({ id, result: 0 }).equals(bytes)).toBe(true);
  });

  test('response of a broadcast layer', () => {
    const bytes = hex(
      '0a08 f4b16ca3db0ca819 10 92d488d806 18 faa3cdb002 2000 2a0b 0a07 0a03 62636c 1001 1002',
    );
    const decoded = decodeResponse(bytes)!;
    expect(decoded.layer).toEqual({
      config: { name: 'bcl', hash: 'SHA3_256', unicast: undefined },
      type: 2,
      peer: 0,
    });
    expect(encodeResponse(decoded).equals(bytes)).toBe(true);
  });
});

test('what is ours comes through, and stands behind what a prototype reads', () => {
  const request: Request = { id, extensions: 1, layer: 'net', type: 1, address: 0xffff_fff0 };
  expect(decodeRequest(encodeRequest(request))).toEqual(request);
  expect(encodeRequest(request).subarray(0, requestBytes.length).equals(requestBytes)).toBe(true);
  const refusal: Response = {
    ...response,
    extensions: 1,
    response: -22,
    reason: 'this is another layer',
    layer: undefined,
  };
  expect(decodeResponse(encodeResponse(refusal))).toEqual(refusal);
  expect(decodeResponse(encodeResponse({ ...response, address: 7 }))).toEqual({ ...response, address: 7 });
});

test('every setting is handed on', () => {
  const others: UnicastSettings = {
    eidSize: 4,
    maxTtl: 3,
    routing: 'ecmp',
    lsRecalc: 1,
    lsUpdate: 2,
    lsTimeout: 9,
    dhtAlpha: 2,
    dhtK: 4,
    dhtExpire: 60,
    dhtRefresh: 10,
    dhtReplicate: 11,
    congestion: 'none',
  };
  const layer = {
    config: { name: 'x'.repeat(255), hash: 'SHA3_512', unicast: others },
    type: 1,
    peer: 5,
  } as const;
  expect(decodeResponse(encodeResponse({ ...response, layer }))?.layer).toEqual(layer);
});

/** A configuration as it is on the wire, to be spoilt. */
interface Conf {
  layerInfo: { dirHashAlgo: number };
  unicast: {
    dt: { addrSize: number; eidSize: number; routing: { pol: number; ls: { pol: number } | null } };
    dir: { pol: number; dht: object | null };
    addrAuthType: number;
    congAvoid: number;
  };
}

describe('a layer this IPCP cannot be in is refused', () => {
  const message = (change: (conf: Conf) => void): (() => unknown) => {
    const conf = {
      layerInfo: { name: 'uni', dirHashAlgo: 1 },
      ipcpType: 1,
      unicast: {
        dt: {
          addrSize: 4,
          eidSize: 8,
          maxTtl: 60,
          routing: { pol: 0, ls: { pol: 0, tRecalc: 4, tUpdate: 15, tTimeo: 60 } },
        },
        dir: {
          pol: 0,
          dht: { alpha: 3, k: 8, tExpire: 86_400, tRefresh: 900, tReplicate: 900, peer: 1 },
        },
        addrAuthType: 0,
        congAvoid: 1,
      },
    };
    change(conf as Conf);
    return () => configFromMessage(conf);
  };

  test.each([
    ['hash', (conf: Conf) => (conf.layerInfo.dirHashAlgo = 4)],
    ['address size', (conf: Conf) => (conf.unicast.dt.addrSize = 8)],
    ['address authority', (conf: Conf) => (conf.unicast.addrAuthType = 1)],
    ['congestion avoidance', (conf: Conf) => (conf.unicast.congAvoid = 2)],
    ['routing policy', (conf: Conf) => (conf.unicast.dt.routing.pol = 1)],
    ['routing policy', (conf: Conf) => (conf.unicast.dt.routing.ls!.pol = 3)],
    ['routing policy', (conf: Conf) => (conf.unicast.dt.routing.ls = null)],
    ['directory policy', (conf: Conf) => (conf.unicast.dir.pol = 1)],
    ['directory policy', (conf: Conf) => (conf.unicast.dir.dht = null)],
  ])('%s', (what, change) => {
    expect(message(change)).toThrow(what);
  });

  test('an endpoint id of another size is none of the reasons', () => {
    expect(message((conf) => (conf.unicast.dt.eidSize = 2))()).toMatchObject({
      config: { unicast: { eidSize: 2 } },
    });
  });
});

test('a request whose id has not 8 bytes is none', () => {
  expect(decodeRequest(encodeRequest({ id: Buffer.alloc(7), ...plain }))).toBeUndefined();
});

test('random and cut bytes are no messages, and never throw but for a layer that is not supported', () => {
  const fits = (bytes: Uint8Array): void => {
    decodeRequest(bytes);
    decodeAck(bytes);
    try {
      decodeResponse(bytes);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOTSUP' });
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fits));
  for (let length = 0; length < responseBytes.length; length += 1) fits(responseBytes.subarray(0, length));
  fc.assert(
    fc.property(fc.nat(responseBytes.length - 1), fc.nat(255), (at, value) => {
      const altered = Buffer.from(responseBytes);
      altered[at] = value;
      fits(altered);
    }),
  );
});
