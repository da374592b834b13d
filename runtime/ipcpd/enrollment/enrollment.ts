/**
 * Enrolment: how an IPCP joins a layer, and how a member lets others join. A core. Source: unicast-layer.md 4,
 * broadcast-layer.md 2.
 */
import { type ErrorCode, errnoOf, O7sError } from '../../lib/errors.ts';
import { rawQos } from '../../lib/qos.ts';
import { type Deadlines, type Millis, never } from '../../lib/time/clock.ts';
import type { Packet } from '../../lib/wire/packet.ts';
import { zeroCounts } from '../shell/counts.ts';
import type { IpcpLog, StackedSurroundings } from '../shell/layer.ts';
import { Connection, type ConnectionUser } from '../connmgr/connection.ts';
import { type Component, type ConnectionManager, ownExtensions } from '../connmgr/connection-manager.ts';
import { type LayerConfig, type MemberType, memberTypes } from './layer-config.ts';
import {
  decodeAck,
  decodeRequest,
  decodeResponse,
  encodeAck,
  encodeRequest,
  encodeResponse,
  enrollmentBytesMax,
  enrollmentIdBytes,
  type Request,
  type Response,
} from './message.ts';

/** Times in ms and counts. */
export interface EnrollmentLimits {
  /** How long a joiner waits for the answer of a member. */
  readonly responseMs: Millis;
  /** How long a member waits for a request, and for the joiner to be ready. */
  readonly joinerMs: Millis;
  /** How often a joiner asks. */
  readonly attempts: number;
}

const enrollmentLimits: EnrollmentLimits = { responseMs: 1000, joinerMs: 5000, attempts: 3 };

/** What a member tells a joiner of. */
export interface Membership {
  readonly config: LayerConfig;
  /** The own address. */
  readonly address: number;
  /** The address a joiner is to take: the proposed one, unless it is somebody's already. */
  chooseAddress(proposed: number): number;
}

/** What a joiner learned. */
export interface Admission {
  readonly config: LayerConfig;
  /** The address of the member that was asked, 0 when it named none. */
  readonly peer: number;
  /** The address to take; undefined when the member left that to the joiner. */
  readonly address: number | undefined;
  /** How far the member's clock is ahead, ms. */
  readonly clockAheadMs: number;
}

/** What a joiner wants. */
export interface EnrollmentWish {
  readonly destination: string;
  /** The layer; any when undefined. */
  readonly layer: string | undefined;
  readonly address: number;
}

type Surroundings = Pick<StackedSurroundings, 'clock' | 'wallClock' | 'randomBytes' | 'log'>;

/** Makes the joiner a member; returns why it cannot be one. */
type Join = (admission: Admission) => O7sError | undefined;
type OnEnrolled = (fault: O7sError | undefined) => void;

interface Attempt {
  readonly id: Buffer;
  readonly wish: EnrollmentWish;
  readonly join: Join;
  readonly done: OnEnrolled;
}

const counterNames = ['enrolled', 'enrollmentsServed', 'enrollmentsRefused', 'droppedEnrollment'] as const;
type Counter = (typeof counterNames)[number];

const nsPerMs = 1_000_000n;

/** One side of an enrolment under way. */
class Session implements ConnectionUser {
  readonly connection: Connection;
  deadline: Millis;
  /** Of the joiner. */
  attempt: Attempt | undefined;
  /** Of the member: the id that was answered. */
  answered: Buffer | undefined;
  readonly #enrollment: Enrollment;

  constructor(enrollment: Enrollment, connection: Connection, deadline: Millis) {
    this.#enrollment = enrollment;
    this.connection = connection;
    this.deadline = deadline;
  }

  deliver(packet: Packet): void {
    this.#enrollment.received(this, packet);
  }

  setUp(): void {
    // An enrolment takes so little time that its own limit is all it needs.
  }

  closed(): void {
    this.#enrollment.closed(this);
  }
}

export class Enrollment implements Component, Deadlines {
  readonly name = 'Enrollment';
  readonly protocol = 'OEP';
  readonly version = 1;
  readonly syntax = 0;
  readonly address = 0;
  readonly settles = false;
  readonly keepalive = 'never';
  readonly counters: Record<Counter, number> = zeroCounts(counterNames);

  readonly #around: Surroundings;
  readonly #log: IpcpLog;
  /** Of what it does to join. */
  readonly #joinerLog: IpcpLog;
  readonly #manager: ConnectionManager;
  readonly #type: MemberType;
  readonly #limits: EnrollmentLimits;
  readonly #sessions = new Map<Connection, Session>();
  #membership: Membership | undefined;
  #isJoining = false;

  constructor(
    around: Surroundings,
    manager: ConnectionManager,
    type: MemberType,
    limits: EnrollmentLimits = enrollmentLimits,
  ) {
    this.#around = around;
    this.#log = around.log.child('enrollment');
    this.#joinerLog = around.log.child(`${type}-ipcp`);
    this.#manager = manager;
    this.#type = type;
    this.#limits = limits;
  }

  /** Throws an O7sError where the IPCP is in a layer, or is about to be. */
  mustBeNew(): void {
    const fault = this.#faultOfState();
    if (fault !== undefined) throw fault;
  }

  /** From here on others may join through this member. */
  serve(membership: Membership): void {
    this.#membership = membership;
    this.#manager.serve(this);
  }

  /** Joins the layer of whoever serves a name. `join` is called with what the member told, before it hears that all is well. */
  enroll(wish: EnrollmentWish, join: Join, done: OnEnrolled): void {
    const fault = this.#faultOfState();
    if (fault !== undefined) return done(fault);
    this.#isJoining = true;
    this.#try(wish, join, this.#limits.attempts, (outcome) => {
      this.#isJoining = false;
      done(outcome);
    });
  }

  connected(connection: Connection, now: Millis): ConnectionUser {
    const wait = connection.initiated ? this.#limits.responseMs : this.#limits.joinerMs;
    const session = new Session(this, connection, now + wait);
    if (!connection.initiated) this.#log.info(`Incoming enrollment connection on flow ${connection.fd}.`);
    this.#sessions.set(connection, session);
    return session;
  }

  /** A message came. Called by the session. */
  received(session: Session, packet: Packet): void {
    if (packet.length > enrollmentBytesMax + 1) return this.#drop(session);
    const bytes = packet.bytes();
    const { attempt } = session;
    if (attempt !== undefined) return this.#responseReceived(session, attempt, bytes);
    if (session.connection.initiated) return;
    if (session.answered === undefined) return this.#requestReceived(session, bytes);
    const ack = decodeAck(bytes);
    if (ack?.id.equals(session.answered) === true && ack.result === 0) {
      this.counters.enrollmentsServed += 1;
      this.#log.info(`${sessionOf(session.answered)} Enrollment completed.`);
    } else {
      this.counters.droppedEnrollment += 1;
    }
    session.connection.close();
  }

  /** A connection ended. Called by the session. */
  closed(session: Session): void {
    const { connection, attempt } = session;
    this.#sessions.delete(connection);
    if (!connection.initiated) this.#log.info(`Enrollment flow ${connection.fd} closed.`);
    session.attempt = undefined;
    attempt?.done(new O7sError('EFLOWDOWN', `${attempt.wish.destination} ended the enrolment`));
  }

  nextDeadline(): Millis {
    let earliest = never;
    for (const { deadline } of this.#sessions.values()) earliest = Math.min(earliest, deadline);
    return earliest;
  }

  advance(now: Millis): void {
    for (const session of this.#sessions.values()) {
      if (session.deadline > now) continue;
      const { attempt } = session;
      session.attempt = undefined;
      this.counters.droppedEnrollment += 1;
      session.connection.close();
      attempt?.done(new O7sError('ETIMEDOUT', `${attempt.wish.destination} did not answer the enrolment`));
    }
  }

  #faultOfState(): O7sError | undefined {
    if (this.#membership === undefined && !this.#isJoining) return undefined;
    return new O7sError('EIPCPSTATE', 'the IPCP is in a layer already, or is about to be');
  }

  #try(wish: EnrollmentWish, join: Join, attempts: number, done: OnEnrolled): void {
    const settled: OnEnrolled = (fault) => {
      // A member of a prototype may be held up by another joiner, or have lost its reply.
      const again = fault !== undefined && ['ETIMEDOUT', 'EFLOWDOWN'].includes(fault.code) && attempts > 1;
      if (again) this.#try(wish, join, attempts - 1, done);
      else done(fault);
    };
    const id = this.#around.randomBytes(enrollmentIdBytes);
    this.#joinerLog.info(`${sessionOf(id)} Requesting enrollment.`);
    this.#manager.connect(this, wish.destination, rawQos, { lasting: false }, (connection) => {
      // Who did not answer was asked often enough.
      if (!(connection instanceof Connection)) {
        this.#joinerLog.error(`${sessionOf(id)} Failed to get connection.`);
        return done(connection);
      }
      const session = this.#sessions.get(connection);
      if (session === undefined) return settled(new O7sError('EFLOWDOWN'));
      session.attempt = { id, wish, join, done: settled };
      const { layer, address } = wish;
      const extensions = connection.extended ? ownExtensions : 0;
      const known = connection.extended ? { layer, type: memberTypes[this.#type], address } : nothingSaid;
      this.#send(connection, encodeRequest({ id, extensions, ...known }));
    });
  }

  #responseReceived(session: Session, attempt: Attempt, bytes: Buffer): void {
    const { wish, join, done } = attempt;
    // One answer decides, whatever what follows from it makes the member do.
    session.attempt = undefined;
    const end = (fault: O7sError | undefined): void => {
      if (fault === undefined) {
        this.counters.enrolled += 1;
        this.#joinerLog.info(`${sessionOf(attempt.id)} Enrolled with ${wish.destination}.`);
      } else this.counters.droppedEnrollment += 1;
      session.connection.close();
      done(fault);
    };
    let response: Response | undefined;
    try {
      response = decodeResponse(bytes);
    } catch (error) {
      return end(error as O7sError);
    }
    const who = wish.destination;
    if (response === undefined || !response.id.equals(attempt.id)) {
      return end(new O7sError('EINVAL', `${who} gave no valid answer to the enrolment`));
    }
    if (response.response < 0) {
      const reason = response.reason ?? `code ${response.response}`;
      return end(O7sError.fromErrno(response.response, `${who} refused the enrolment: ${reason}`));
    }
    const { layer } = response;
    if (layer === undefined) return end(new O7sError('EINVAL', `${who} told nothing of its layer`));
    if (layer.type !== memberTypes[this.#type]) {
      return end(new O7sError('EIPCPTYPE', `${who} is not in a ${this.#type} layer`));
    }
    const { config, peer } = layer;
    // Those of our kind have refused by now.
    if (wish.layer !== undefined && wish.layer !== config.name) {
      return end(new O7sError('ENOENT', `${who} is in layer ${config.name}, not in ${wish.layer}`));
    }
    const clockAheadMs = Number((response.time - this.#around.wallClock()) / nsPerMs);
    const fault = join({ config, peer, address: response.address, clockAheadMs });
    if (fault !== undefined) return end(fault);
    this.#send(session.connection, encodeAck({ id: attempt.id, result: 0 }));
    end(undefined);
  }

  #requestReceived(session: Session, bytes: Buffer): void {
    const request = decodeRequest(bytes);
    const membership = this.#membership;
    if (request === undefined || membership === undefined) return this.#drop(session);
    const { config, address } = membership;
    const extensions = request.extensions === 0 ? 0 : ownExtensions;
    const time = this.#around.wallClock();
    const refusal = refusalOf(request, this.#type, config);
    session.answered = request.id;
    this.#log.info(`${sessionOf(request.id)} Handling incoming enrollment.`);
    const answer = { id: request.id, time, extensions };
    if (refusal !== undefined) {
      this.counters.enrollmentsRefused += 1;
      const { code, reason } = refusal;
      this.#log.warn(`${sessionOf(request.id)} Enrollment refused: ${reason}.`);
      const nothing = { address: undefined, layer: undefined };
      this.#send(
        session.connection,
        encodeResponse({ ...answer, response: -errnoOf(code), reason, ...nothing }),
      );
      return session.connection.close();
    }
    const chosen = request.address === undefined ? undefined : membership.chooseAddress(request.address);
    const layer = { config, type: memberTypes[this.#type], peer: address };
    this.#send(
      session.connection,
      encodeResponse({ ...answer, response: 0, reason: undefined, address: chosen, layer }),
    );
    session.deadline = this.#around.clock() + this.#limits.joinerMs;
  }

  #drop(session: Session): void {
    this.counters.droppedEnrollment += 1;
    session.connection.close();
  }

  #send(connection: Connection, bytes: Buffer): void {
    const packet = this.#manager.packets.take(bytes.length);
    packet.append(bytes, 0, bytes.length);
    connection.write(packet);
  }
}

/** An enrolment in the logs of two nodes. */
function sessionOf(id: Buffer): string {
  return `[${id.toString('hex')}]`;
}

const nothingSaid = { layer: undefined, type: undefined, address: undefined } as const;

/** Why a member does not let somebody join who would not be what it wants to be. */
function refusalOf(
  request: Request,
  type: MemberType,
  config: LayerConfig,
): { readonly code: ErrorCode; readonly reason: string } | undefined {
  if (request.type !== undefined && request.type !== memberTypes[type]) {
    return { code: 'EIPCPTYPE', reason: `layer ${config.name} is a ${type} layer` };
  }
  if (request.layer !== undefined && request.layer !== config.name) {
    return { code: 'ENOENT', reason: `this is layer ${config.name}, not ${request.layer}` };
  }
  return undefined;
}
