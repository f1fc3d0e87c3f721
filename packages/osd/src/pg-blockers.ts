/** What keeps a PG from being active and clean, as its primary sees it: for people who ask why. */
import { type EVersion, formatVersion, type OsdId } from '@spirula/encoding';
import type { Missing } from './missing.ts';
import type { Pg } from './pg.ts';

/** Objects named, of those that are missing. */
const MAX_NAMED = 3;

/** One clause each; empty when nothing is waited for. */
export function findBlockers(pg: Pg): string[] {
  return pg.peering.isActive ? [...activeBlockers(pg)] : [...peeringBlockers(pg)];
}

function* peeringBlockers({ core, peering }: Pg): Iterable<string> {
  const { state } = peering;
  if (!core.isFlushed) yield 'its own transactions are not durable yet';
  switch (state.name) {
    case 'GetInfo':
      yield `no pg_notify from ${namesOf(state.requested)}`;
      break;
    case 'GetLog':
      yield `no pg_log from ${namesOf([state.authority])}, whose log is to be everybody's`;
      break;
    case 'GetMissing':
      yield `no pg_log from ${namesOf(state.requested)} with what they miss`;
      break;
    case 'Down':
      yield `blocked by ${namesOf(state.prior.blockedBy.keys())}, down, who may hold writes that nobody here has`;
      break;
    case 'Incomplete':
      yield 'no OSD that is up has a history and objects to go on with';
      break;
    case 'WaitUpThru':
      yield 'no OSDMap has its up_thru';
      break;
    case 'WaitActingChange':
      yield `no OSDMap has the pg_temp [${state.want}] that it asked for`;
      break;
    case 'Active': {
      const { activated } = state;
      yield `not activated: ${namesOf(core.actingRecoveryBackfill.filter((osd) => !activated.has(osd)))}`;
      break;
    }
    default:
      break;
  }
}

function* activeBlockers(pg: Pg): Iterable<string> {
  const { core, recovery, backfill, phase } = pg;
  if (!core.hasMinSize) yield `${core.acting.length} of ${core.pool.minSize} OSDs that it needs`;
  if (core.acting.length < core.pool.size) yield `acting [${core.acting}] of ${core.pool.size}`;
  if (core.up.join() !== core.acting.join()) yield `up is [${core.up}]`;
  if (pg.isWaiting) yield 'an earlier primary may still serve reads';
  if (phase.startsWith('WaitLocal')) yield 'no slot of its own for recovery or backfill';
  if (pg.slotWaitedFor !== undefined) yield `no slot granted by ${namesOf([pg.slotWaitedFor])}`;
  if (core.missing.size > 0) yield `it misses ${describeMissing(core.missing)}`;
  const unfound = recovery.unfound();
  if (unfound.length > 0) yield `unfound: ${unfound.slice(0, MAX_NAMED).map(describeItem).join(', ')}`;
  for (const [osd, missing] of core.peerMissing) {
    if (missing.size > 0 && core.actingRecoveryBackfill.includes(osd)) {
      yield `${namesOf([osd])} misses ${describeMissing(missing)}`;
    }
  }
  if (pg.tooFullFor !== undefined) yield `no room for ${pg.tooFullFor} on a member`;
  if (backfill.isNeeded) yield `backfill of ${namesOf(backfill.targets)}`;
}

function describeMissing(missing: Missing): string {
  const named = missing.items().slice(0, MAX_NAMED).map(describeItem).join(', ');
  return missing.size > MAX_NAMED ? `${missing.size} objects: ${named}, …` : named;
}

function describeItem({ oid, need, have }: ReturnType<Missing['items']>[number]): string {
  return `${oid.name} (needs ${describeVersion(need)}, has ${describeVersion(have)})`;
}

function describeVersion(version: EVersion): string {
  return version.version === 0 ? 'none' : formatVersion(version);
}

function namesOf(osds: Iterable<OsdId>): string {
  return [...osds].map((osd) => `osd.${osd}`).join(', ');
}
