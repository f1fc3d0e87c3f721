/** Read leases at the bound of what clocks may do: the primary's as slow, the others' as fast as is allowed. */
import { type Instant, MAX_DRIFT_PPM, SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { ReadLease } from './read-lease.ts';

const LENGTH = 8 * SECOND;
const MILLION = 1_000_000;

/** What a clock shows; each counts from a moment of its own. */
function clock(driftPpm: number, begun: Instant): (trueUs: Instant) => Instant {
  return (trueUs) => Math.floor(((trueUs - begun) * (MILLION + driftPpm)) / MILLION);
}

const slow = clock(-MAX_DRIFT_PPM, -77);
const fast = clock(MAX_DRIFT_PPM, -1_234_567);

/** The last moment, give or take 10 us, at which a primary that sent a lease at 0, and had it acknowledged, still reads. */
function lastRead(primary: ReadLease): Instant {
  let trueUs = LENGTH;
  while (slow(trueUs + 10) < primary.readableUntil([1])) trueUs += 10;
  return trueUs;
}

function leased(): { readonly primary: ReadLease; readonly replica: ReadLease } {
  const primary = new ReadLease(LENGTH);
  const replica = new ReadLease(LENGTH);
  const lease = primary.renew(slow(0));
  // Nothing is as fast as a message that takes no time.
  replica.onLease(lease, fast(0));
  primary.onAck(1, lease.until);
  return { primary, replica };
}

test('a lease lasts longer where it is waited for than where it is used', () => {
  const { primary, replica } = leased();
  replica.onNewInterval();

  expect(replica.priorRemaining(fast(lastRead(primary)))).toBeGreaterThan(0);
});

test('an OSD that has forgotten its leases waits as long as any of them may last', () => {
  const { primary } = leased();
  const restarted = new ReadLease(LENGTH);
  restarted.onRestart(fast(0));

  expect(restarted.priorRemaining(fast(lastRead(primary)))).toBeGreaterThan(0);
});

test('whoever learns from a peer how much longer to wait, and learns it on, waits long enough', () => {
  const { primary } = leased();
  for (const own of [slow, fast]) {
    const peer = new ReadLease(LENGTH);
    peer.onLease({ until: 0, intervalUs: LENGTH }, own(0));
    peer.onNewInterval();
    const next = new ReadLease(LENGTH);
    next.onPeerPrior(peer.priorRemaining(own(SECOND)), fast(SECOND));
    const last = new ReadLease(LENGTH);
    last.onPeerPrior(next.priorRemaining(fast(2 * SECOND)), fast(2 * SECOND));

    for (const learner of [next, last]) expect(learner.priorRemaining(fast(lastRead(primary)))).toBeGreaterThan(0);
  }
});

test('the microsecond in which a peer is heard does not count as waited', () => {
  const learner = new ReadLease(LENGTH);
  learner.onPeerPrior(100, 50);

  expect(learner.priorRemaining(150)).toBe(1);
});

test('a primary reads no longer than it has sent leases for, whatever is acknowledged', () => {
  const { primary } = leased();
  primary.onAck(1, 100 * LENGTH);

  expect(primary.readableUntil([1])).toBe(slow(0) + LENGTH);
  expect(primary.readableUntil([1, 2])).toBe(0);
});
