/**
 * The handshakes of a node: with what its files say for each name, and told in the log. Files, time and randomness are
 * given to it.
 */
import type { ErrorCode } from '../lib/errors.ts';
import { O7sError } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { OapRequest, OapServer } from '../lib/oap/handshake.ts';
import type { ClientSide, FlowKey, ServerSide } from '../lib/oap/security.ts';
import type { FlowEncryption } from '../lib/rpc/api.ts';
import { SecurityFault, type SecuritySource } from './security.ts';

export interface HandshakeSurroundings {
  readonly log: Logger;
  /** ns since 1970. */
  readonly wallClock: () => bigint;
  readonly randomBytes: (count: number) => Buffer;
  /** Without one, flows are clear and nobody proves who he is. */
  readonly security?: SecuritySource | undefined;
}

/** What a flow's grant says of its encryption; nothing for a clear one. */
export interface Encrypted {
  readonly encryption?: FlowEncryption;
}

/** A request under way, and what becomes of its response. */
export interface Asking {
  readonly bytes: Buffer;
  /**
   * Judges the response.
   *
   * @throws O7sError ECRYPT when it is not good.
   */
  judge(response: Buffer): Encrypted;
}

export type Answer = { readonly response: Buffer; readonly flow: Encrypted } | { readonly error: ErrorCode };

const idBytes = 16;

export class Handshakes {
  readonly #around: HandshakeSurroundings;
  readonly #log: Logger;
  readonly #server = new OapServer();

  constructor(around: HandshakeSurroundings) {
    this.#around = around;
    this.#log = around.log.child('irmd/oap');
  }

  /**
   * Makes requests for flows to a name, each a fresh one: the receiver would take the second of two alike for a replay.
   *
   * @param isOrdered whether the flow will have FRCT.
   * @throws O7sError EBADF when what the files ask for cannot be done.
   */
  asker(name: string, isOrdered: boolean): () => Asking {
    const client = this.#clientSide(name);
    return () => this.#ask(name, client, isOrdered);
  }

  /** Answers a request for a flow to a name of this node. */
  answer(name: string, request: Buffer, isOrdered: boolean): Answer {
    const { wallClock } = this.#around;
    const session = sessionOf(request);
    const server = this.#serverSide(name);
    if ('error' in server) return server;
    const verdict = this.#server.answer(request, wallClock(), server.side);
    if ('error' in verdict) {
      this.#log.error(`${session} OAP request for ${name} refused: ${verdict.error}, ${this.#server.fault}.`);
      return verdict;
    }
    if (isOrdered && provesNothing(verdict.flowKey)) {
      this.#log.error(`${session} OAP request for ${name} refused: ECRYPT, ${ctrFault}.`);
      return { error: 'ECRYPT' };
    }
    this.#tellNegotiated(session, verdict.flowKey);
    this.#log.info(`${session} OAP request processed for ${name}.`);
    return { response: verdict.response, flow: encryptionOf(verdict.flowKey) };
  }

  /**
   * The handshake of a direct flow, which no other node sees.
   *
   * @throws O7sError EBADF as `asker` does; ECRYPT when the two sides do not fit.
   */
  within(name: string, isOrdered: boolean): Encrypted {
    const client = this.#clientSide(name);
    const server = this.#serverSide(name);
    if ('error' in server) throw failed(name, 'the files of its server cannot be used');
    if (isSilent(client) && isSilent(server.side)) return {};
    const asking = this.#ask(name, client, isOrdered);
    // Nobody but this process can replay what only this process sees.
    const oap = new OapServer();
    const verdict = oap.answer(asking.bytes, this.#around.wallClock(), server.side);
    if ('response' in verdict) return asking.judge(verdict.response);
    this.#log.error(`${sessionOf(asking.bytes)} OAP request for ${name} refused: ${oap.fault}.`);
    throw failed(name, oap.fault ?? verdict.error);
  }

  #ask(name: string, client: ClientSide | undefined, isOrdered: boolean): Asking {
    const { randomBytes, wallClock } = this.#around;
    const request = new OapRequest(randomBytes(idBytes), wallClock(), client);
    const session = sessionOf(request.bytes);
    return {
      bytes: request.bytes,
      judge: (response) => {
        if (request.judge(response) !== undefined) {
          this.#log.error(`${session} OAP response for ${name} refused: ${request.fault}.`);
          throw failed(name, request.fault ?? 'it was wrong');
        }
        if (isOrdered && provesNothing(request.flowKey)) {
          this.#log.error(`${session} OAP response for ${name} refused: ${ctrFault}.`);
          throw failed(name, ctrFault);
        }
        this.#tellNegotiated(session, request.flowKey);
        this.#log.info(`${session} OAP completed for ${name}.`);
        return encryptionOf(request.flowKey);
      },
    };
  }

  #clientSide(name: string): ClientSide | undefined {
    try {
      return this.#told(name, this.#around.security?.client(name));
    } catch (error) {
      if (!(error instanceof SecurityFault)) throw error;
      this.#log.error(`Cannot use ${error.message}.`);
      throw new O7sError('EBADF', `the handshake with ${name} cannot be prepared`, {
        hint: `mend ${error.message}`,
      });
    }
  }

  /** What the server's side of a name brings, or what a requester is refused with when it cannot be used. */
  #serverSide(name: string): { readonly side: ServerSide | undefined } | { readonly error: ErrorCode } {
    try {
      return { side: this.#told(name, this.#around.security?.server(name)) };
    } catch (error) {
      if (!(error instanceof SecurityFault)) throw error;
      this.#log.error(`Cannot use ${error.message}.`);
      return { error: error.part === 'identity' ? 'EAUTH' : 'ECRYPT' };
    }
  }

  #told<T extends ClientSide | ServerSide>(name: string, side: T | undefined): T | undefined {
    if (side?.identity === undefined) this.#log.info(`No authentication certificates for ${name}.`);
    if (side?.encryption === undefined) this.#log.info(`Key exchange not configured for ${name}.`);
    else this.#log.info(`Encryption enabled for ${name}.`);
    return side;
  }

  #tellNegotiated(session: string, key: FlowKey | undefined): void {
    if (key !== undefined) this.#log.info(`${session} Negotiated ${key.exchange} + ${key.cipher.name}.`);
  }
}

/** The beginning of a handshake's id, by which the logs of two nodes are laid side by side. */
function sessionOf(request: Buffer): string {
  return `[${request.toString('hex', 0, 8)}]`;
}

function isSilent(side: ClientSide | ServerSide | undefined): boolean {
  return side?.identity === undefined && side?.encryption === undefined;
}

const ctrFault = 'a CTR cipher cannot tell what belongs to an ordered flow';

/**
 * Whether nothing shows that a packet was sealed with the key: FRCT would take noise for packets, such as the
 * retransmissions of a prototype (end-to-end.md 5.5).
 */
function provesNothing(key: FlowKey | undefined): boolean {
  return key?.cipher.tagBytes === 0;
}

function failed(name: string, why: string): O7sError {
  return new O7sError('ECRYPT', `the handshake with ${name} failed: ${why}`);
}

function encryptionOf(flowKey: FlowKey | undefined): Encrypted {
  if (flowKey === undefined) return {};
  return { encryption: { cipher: flowKey.cipher.name, key: flowKey.key.toString('hex') } };
}
