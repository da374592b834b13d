/** Bounds and times of the directory. Parameters, so that a test need not wait for them. */
import type { Millis } from '../../../../lib/time/clock.ts';

export interface DhtLimits {
  /** Longest message taken, in bytes. A member below other layers may send longer ones than this one. */
  readonly receivedBytesMax: number;

  /** Layers of up to so many members store names at all of them. */
  readonly everywhereMax: number;
  /** In larger ones, how many members look at once, on average, at one that has come and may be a prototype. */
  readonly greetersMax: number;
  /** Members that routing told of. */
  readonly membersMax: number;
  /** Contacts known; distant ones give way to near ones. */
  readonly contactsMax: number;
  /** Contacts taken from one answer. */
  readonly contactsOfAnswerMax: number;
  /** Prototypes at which a name is stored, and that are asked for one, beyond those nearest to it. */
  readonly prototypesStoredMax: number;
  readonly prototypesAskedMax: number;
  /** Members remembered because prototypes list them first. */
  readonly listedFirstMax: number;

  /** Names this member serves. */
  readonly namesMax: number;
  /** Values of others, tombstones included: in all, for one name, and from one member. */
  readonly valuesMax: number;
  readonly valuesOfKeyMax: number;
  readonly valuesOfSourceMax: number;
  /** Names whose withdrawal is still owed to a member that could not be reached. */
  readonly owedMax: number;

  /** Names looked up at once for those who asked; more are refused. */
  readonly queriesMax: number;
  /** Look-ups of the directory's own at once, and those that wait meanwhile. */
  readonly errandsMax: number;
  readonly errandsWaitingMax: number;
  /** Callers that wait for look-ups. */
  readonly waitingMax: number;
  /** Members one look-up asks, and remembers while it runs. */
  readonly askedMax: number;
  readonly candidatesMax: number;
  /** Deliveries of values waiting for their turn or an acknowledgement. */
  readonly deliveriesMax: number;
  /** Questions of prototypes that are looked up for them before they are answered. */
  readonly heldMax: number;
  /** Results of queries remembered. */
  readonly cacheEntriesMax: number;
  /** Names that `metrics` lists. */
  readonly keysShownMax: number;

  /** How long an answer is waited for, from the first request (unicast-layer.md 7.1). */
  readonly answerMs: Millis;
  /**
   * When a request is repeated, after the first; since the first repetition others are asked in its place. That comes
   * sooner where answers take less time, but not before `overdueMs`.
   */
  readonly repeatMs: readonly Millis[];
  readonly overdueMs: Millis;
  /** Longest time of a look-up, whoever does not answer. */
  readonly lookupMs: Millis;
  /** Requests in a row that a contact leaves unanswered before it is forgotten. */
  readonly failuresMax: number;
  /** Pauses before the repetitions of a delivery; the last is also how long its acknowledgement is waited for. */
  readonly deliverMs: readonly Millis[];
  /** Deliveries sent at once, and the pause before the next. */
  readonly deliveriesOfTurn: number;
  readonly turnMs: Millis;

  /** How long a result is believed. The prototype believes one for up to 450 s, ours may move sooner. */
  readonly cacheMs: Millis;
  /** How long a query waits for this member to join, before which it has nobody to ask. */
  readonly joiningMs: Millis;
  /** How long an answer to a prototype is held back; its user waits 200 ms in all (unicast-layer.md 7.8). */
  readonly holdMs: Millis;
  /**
   * Rest before a member that is new, and may be a prototype, is sent anything it has not asked for: packets that find
   * its reader unarmed delay all later ones (unicast-layer.md 2.4).
   */
  readonly settleMs: Millis;
  /** Between attempts to join: the first, doubled up to the last. */
  readonly joinMs: readonly [first: Millis, last: Millis];
  /** Between attempts to reach a member that does not answer: likewise. */
  readonly probeMs: readonly [first: Millis, last: Millis];
  /** How long a contact without a route is kept. */
  readonly absentMs: Millis;
  /** Between looks for what has expired. */
  readonly sweepMs: Millis;
  /** How long after its holders changed a name is stored anew. */
  readonly repairMs: Millis;
}

export const dhtLimits: DhtLimits = {
  receivedBytesMax: 16_384,

  everywhereMax: 64,
  greetersMax: 4,
  membersMax: 16_384,
  contactsMax: 4096,
  contactsOfAnswerMax: 20,
  prototypesStoredMax: 128,
  prototypesAskedMax: 32,
  listedFirstMax: 32,

  namesMax: 16_384,
  valuesMax: 65_536,
  valuesOfKeyMax: 128,
  valuesOfSourceMax: 8192,
  owedMax: 4096,

  queriesMax: 256,
  errandsMax: 16,
  errandsWaitingMax: 20_000,
  waitingMax: 4096,
  askedMax: 96,
  candidatesMax: 128,
  deliveriesMax: 16_384,
  heldMax: 64,
  cacheEntriesMax: 4096,
  keysShownMax: 256,

  answerMs: 2000,
  repeatMs: [300, 700, 1200],
  overdueMs: 50,
  lookupMs: 6000,
  failuresMax: 2,
  deliverMs: [1000, 3000],
  deliveriesOfTurn: 32,
  turnMs: 20,

  cacheMs: 10_000,
  joiningMs: 1000,
  holdMs: 120,
  settleMs: 500,
  joinMs: [50, 2000],
  probeMs: [5000, 300_000],
  absentMs: 600_000,
  sweepMs: 10_000,
  repairMs: 2000,
};
