/** Which objects clients may write to while a primary recovers, and when it stops. */
import { EMPTY } from '@spirula/encoding';
import { type HObject, MAX_HOBJECT, MIN_HOBJECT, type OsdMap } from '@spirula/maps';
import { NOSNAP, type ObjectPart, type PgInfo } from '@spirula/messages';
import { makeConfig } from '@spirula/world';
import { beforeEach, expect, test } from 'vitest';
import { Missing } from '../../packages/osd/src/missing.ts';
import type { PgCore } from '../../packages/osd/src/pg-core.ts';
import { Recovery } from '../../packages/osd/src/recovery.ts';
import { MapHistory } from '../client/osd-maps.ts';

const NEED = { epoch: 4, version: 7 };
const NEVER = { epoch: 0, version: 0 };
const object = (name: string): HObject => ({ ...MIN_HOBJECT, pool: 2, name, snap: NOSNAP });

let map: OsdMap;
let missing: Missing;
let sent: { readonly to: number; readonly type: string }[];
let undurable: (() => void)[];
let told: string[];
let recovery: Recovery;

beforeEach(() => {
  map = new MapHistory().map;
  missing = new Missing();
  missing.add(object('a'), NEED, NEVER);
  sent = [];
  undurable = [];
  told = [];
});

/** The primary, osd.0, of a PG that osd.1 has too, as far as `missingThere` goes. */
function makeRecovery(missingThere: Missing, lastBackfill = MAX_HOBJECT): void {
  const info = { lastUpdate: NEED, lastComplete: NEVER, lastBackfill } as PgInfo;
  const core = {
    whoami: 0,
    isPrimary: true,
    pgid: { pool: 2, seed: 0 },
    epoch: 5,
    cid: '2.0',
    map,
    missing,
    info,
    lastPeeringReset: 5,
    peerInfo: new Map([[1, info]]),
    peerMissing: new Map([[1, missingThere]]),
    actingRecoveryBackfill: [0, 1],
    backfillTargets: lastBackfill.max ? [] : [1],
    host: {
      world: { config: makeConfig(), buggify: () => false },
      beginRecoveryOp: () => true,
      endRecoveryOp: () => {},
      pgChanged: () => {},
    },
    setInfo: () => {},
    send: (to: number, message: { readonly type: string }) => void sent.push({ to, ...message }),
    commit: (_: unknown, onCommit: () => void) => void undurable.push(onCommit),
  };
  recovery = new Recovery(core as unknown as PgCore, {
    onObjectRecovered: ({ name }) => void told.push(`recovered ${name}`),
    onAllRecovered: () => void told.push('all recovered'),
    onUnfoundLeft: () => void told.push('unfound left'),
    onBackfillPushed: () => {},
    onUnreadable: () => {},
  });
}

function arrive(name: string): void {
  const part: ObjectPart = {
    ...{ oid: object(name), version: NEED, size: 0, extents: [], data: EMPTY, attrs: new Map(), omapHeader: EMPTY },
    ...{ omap: new Map(), first: true, last: true },
  };
  const next = { offset: 0, omapAfter: undefined };
  recovery.onPush(1, { type: 'pg_push', pgid: { pool: 2, seed: 0 }, epoch: 5, part, next });
}

test('an object pulled may be written to once it is durable here, not before', () => {
  makeRecovery(new Missing());
  recovery.start();
  expect(sent).toMatchObject([{ to: 1, type: 'pg_pull' }]);
  arrive('a');

  expect(recovery.isMissing(object('a'))).toBe(false);
  expect(recovery.isDegraded(object('a'))).toBe(true);
  expect(told).toEqual([]);
  for (const durable of undurable) durable();

  expect(recovery.isDegraded(object('a'))).toBe(false);
  expect(told).toEqual(['recovered a', 'all recovered']);
});

test('what nobody has does not keep the rest waiting, nor the slot', () => {
  missing.add(object('lost'), NEED, NEVER);
  const missingThere = new Missing();
  missingThere.add(object('lost'), NEED, NEVER);
  makeRecovery(missingThere);
  expect(recovery.isPossible).toBe(true);
  recovery.start();
  arrive('a');
  for (const durable of undurable) durable();

  expect(told).toEqual(['recovered a', 'unfound left']);
  expect(recovery.isPossible).toBe(false);
  expect(recovery.isRunning).toBe(false);
});

test('a member to be backfilled is asked for what nobody else has, once', () => {
  makeRecovery(new Missing(), MIN_HOBJECT);
  recovery.start();
  expect(sent).toMatchObject([{ to: 1, type: 'pg_pull', version: NEED }]);
  const pgid = { pool: 2, seed: 0 };
  const answer = { pgid, epoch: 5, oid: object('a'), version: NEED, next: undefined, missing: true };
  recovery.onPushReply(1, { type: 'pg_push_reply', ...answer });

  expect(told).toEqual(['unfound left']);
  expect(sent).toHaveLength(1);
});
