/** Which requests reach their PG, which clients are to keep, and when they may send them again. */
import { formatPgId, type PgId } from '@spirula/encoding';
import { compareHObjects, stableMod } from '@spirula/maps';
import type { OsdBackoff } from '@spirula/messages';
import { beforeEach, describe, expect, test } from 'vitest';
import { Backoffs } from './backoffs.ts';
import type { ClientOp } from './client-op.ts';

const PG: PgId = { pool: 1, seed: 3 };
const OTHER_PG: PgId = { pool: 1, seed: 4 };
const [ALICE, BOB] = [11, 12];

interface FakePg {
  isBlocked: boolean;
  readonly waiting: ClientOp[];
  readonly ops: { handle(op: ClientOp): void; takeWaitingForActive(): readonly ClientOp[] };
}

let backoffs: Backoffs;
let pgs: Map<string, FakePg>;
let expected: Set<string>;
let open: Set<number>;
let dropped: number[];
let sent: { readonly to: number; readonly message: OsdBackoff }[];
let isActive: boolean;

function makePg(isBlocked: boolean): FakePg {
  const waiting: ClientOp[] = [];
  return {
    isBlocked,
    waiting,
    ops: { handle: (op) => void waiting.push(op), takeWaitingForActive: () => waiting.splice(0) },
  };
}

beforeEach(() => {
  pgs = new Map([[formatPgId(PG), makePg(false)]]);
  expected = new Set();
  open = new Set([ALICE, BOB]);
  dropped = [];
  sent = [];
  isActive = true;
  backoffs = new Backoffs({
    epoch: 20,
    get isActive() {
      return isActive;
    },
    pg: (pgid) => pgs.get(formatPgId(pgid)),
    pgNum: (pool) => (pool === 1 ? 12 : undefined),
    isExpected: (pgid) => expected.has(formatPgId(pgid)),
    isOpen: (session) => open.has(session),
    onDone: (op) => void dropped.push(Number(op.message.tid)),
    send: (to, message) => void sent.push({ to, message }),
  });
});

const pg = () => pgs.get(formatPgId(PG))!;
const taken = () => sent.splice(0).map(({ to, message: { op, id } }) => [to, op, Number(id)]);

function ask(session: number, tid: number, pgid = PG): void {
  backoffs.onRequest({ session, message: { tid: BigInt(tid), pgid } } as ClientOp);
  backoffs.update();
}

function setBlocked(isBlocked: boolean): void {
  pg().isBlocked = isBlocked;
  backoffs.onPgChanged(PG);
  backoffs.update();
}

function acknowledge(session: number, id: number): void {
  const { message } = sent.find(({ message: { op } }) => op === 'block') ?? sent[0]!;
  backoffs.onAck(session, { ...message, op: 'ackBlock', id: BigInt(id) });
}

test('requests reach a PG that serves, and one that will soon', () => {
  ask(ALICE, 1);

  expect(pg().waiting).toHaveLength(1);
  expect([dropped, sent]).toEqual([[], []]);
});

test('clients of a PG that cannot serve are asked once to keep their requests, and told when it can', () => {
  setBlocked(true);
  ask(ALICE, 1);
  ask(ALICE, 2);
  ask(BOB, 1);
  expect(dropped).toEqual([1, 2, 1]);
  acknowledge(ALICE, 1);
  expect(taken()).toEqual([
    [ALICE, 'block', 1],
    [BOB, 'block', 2],
  ]);

  setBlocked(false);
  expect(taken()).toEqual([
    [ALICE, 'unblock', 1],
    [BOB, 'unblock', 2],
  ]);
  ask(ALICE, 1);
  expect(pg().waiting).toHaveLength(1);
});

test('what was waiting when the PG became blocked goes back to the clients', () => {
  ask(ALICE, 1);
  ask(BOB, 2);
  ask(ALICE, 3);
  open.delete(BOB);
  setBlocked(true);

  expect(pg().waiting).toEqual([]);
  expect(dropped).toEqual([1, 2, 3]);
  expect(taken()).toEqual([[ALICE, 'block', 1]]);
});

test('what was on its way when the block was lifted is dropped until the client has heard of it', () => {
  setBlocked(true);
  ask(ALICE, 1);
  const { message } = sent[0]!;
  setBlocked(false);
  ask(ALICE, 2);
  expect([dropped, pg().waiting]).toEqual([[1, 2], []]);
  backoffs.onAck(ALICE, { ...message, op: 'ackBlock' });
  ask(ALICE, 3);

  expect(pg().waiting).toHaveLength(1);
});

test('a PG blocked again before the client acknowledged the first block is blocked under a new number', () => {
  setBlocked(true);
  ask(ALICE, 1);
  const first = sent[0]!.message;
  setBlocked(false);
  setBlocked(true);
  ask(ALICE, 1);
  // Sent before it knew of any block.
  expect(taken()).toEqual([
    [ALICE, 'block', 1],
    [ALICE, 'unblock', 1],
  ]);
  backoffs.onAck(ALICE, { ...first, op: 'ackBlock' });
  ask(ALICE, 2);
  expect(taken()).toEqual([[ALICE, 'block', 2]]);
  setBlocked(false);
  expect(taken()).toEqual([[ALICE, 'unblock', 2]]);
});

test('a broken session has no blocks any more', () => {
  setBlocked(true);
  ask(ALICE, 1);
  backoffs.onReset(ALICE);
  taken();
  setBlocked(false);

  expect(taken()).toEqual([]);
});

test('acknowledgements of what was never asked change nothing', () => {
  setBlocked(true);
  ask(ALICE, 1);
  const { message } = sent[0]!;
  backoffs.onAck(ALICE, { ...message, op: 'ackBlock', id: 77n });
  backoffs.onAck(BOB, { ...message, op: 'ackBlock' });
  backoffs.onAck(ALICE, { ...message, op: 'unblock' });
  setBlocked(false);
  ask(ALICE, 2);

  // It has not acknowledged yet.
  expect(pg().waiting).toEqual([]);
});

describe('a PG that is not here', () => {
  test('and is about to begin: its requests come again when it has', () => {
    expected.add(formatPgId(OTHER_PG));
    ask(ALICE, 1, OTHER_PG);
    expect([taken(), dropped]).toEqual([[[ALICE, 'block', 1]], [1]]);
    pgs.set(formatPgId(OTHER_PG), makePg(false));
    backoffs.update();

    expect(taken()).toEqual([[ALICE, 'unblock', 1]]);
  });

  test('and goes to another OSD: the client may send there', () => {
    expected.add(formatPgId(OTHER_PG));
    ask(ALICE, 1, OTHER_PG);
    expected.clear();
    taken();
    backoffs.update();

    expect(taken()).toEqual([[ALICE, 'unblock', 1]]);
  });

  test('and is none of this OSD’s business: the client learns from the map', () => {
    ask(ALICE, 1, OTHER_PG);
    ask(ALICE, 2, { pool: 2, seed: 0 });

    expect([taken(), dropped]).toEqual([[], [1, 2]]);
  });
});

test('an OSD that is down drops requests, and lifts its blocks', () => {
  setBlocked(true);
  ask(ALICE, 1);
  taken();
  isActive = false;
  backoffs.update();
  ask(BOB, 2);

  expect([taken(), dropped]).toEqual([[[ALICE, 'unblock', 1]], [1, 2]]);
});

test('a block covers just the objects of its PG', () => {
  setBlocked(true);
  ask(ALICE, 1);
  const { begin, end } = sent[0]!.message;

  for (let hash = 0; hash < 4096; hash++) {
    const object = { pool: 1, nspace: '', key: '', name: 'x', snap: 1n, hash: (hash * 0x9e3779b1) >>> 0, max: false };
    const inside = compareHObjects(object, begin) >= 0 && compareHObjects(object, end) < 0;
    expect(inside).toBe(stableMod(object.hash, 12) === PG.seed);
  }
});
