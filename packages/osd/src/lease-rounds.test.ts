import type { OsdId, PgId } from '@spirula/encoding';
import type { Lease, PgLeaseAcks, PgLeases } from '@spirula/messages';
import { SECOND, type World } from '@spirula/world';
import { beforeEach, expect, test } from 'vitest';
import { LeaseRounds } from './lease-rounds.ts';
import type { PgDirectory } from './pg-directory.ts';
import { ToyNetwork, type ToyNode } from './toy-network.test-support.ts';

/** What LeaseRounds sees of a PG. */
class FakePg {
  readonly pgid: PgId;
  readonly core: { isPrimary: boolean; otherActing: readonly OsdId[] };
  /** Undefined: it serves nobody. */
  lease: Lease | undefined;
  readonly taken: Lease[] = [];
  readonly acks: [from: OsdId, until: number][] = [];
  wakes = 0;
  /** Whose leases count. */
  primary: OsdId | undefined;
  readonly ops = { onReadable: () => void this.wakes++ };

  constructor(seed: number, otherActing: readonly OsdId[]) {
    this.pgid = { pool: 1, seed };
    this.core = { isPrimary: true, otherActing };
    this.lease = { until: 100 + seed, intervalUs: 16 * SECOND };
  }

  renewLease(): Lease | undefined {
    return this.lease;
  }

  onLease(from: OsdId, _epoch: number, lease: Lease): boolean {
    if (from !== this.primary) return false;
    this.taken.push(lease);
    return true;
  }

  onLeaseAck(from: OsdId, _epoch: number, { until }: { readonly until: number }): void {
    this.acks.push([from, until]);
  }
}

let network: ToyNetwork;
let node: ToyNode;
let pgs: FakePg[];
let sent: [to: OsdId, message: PgLeases | PgLeaseAcks][];
let rounds: LeaseRounds;

beforeEach(() => {
  network = new ToyNetwork(1);
  node = network.addNode({ type: 'osd', id: '0' }, 1);
  pgs = [new FakePg(0, [1, 2]), new FakePg(1, [2]), new FakePg(2, [])];
  sent = [];
  rounds = new LeaseRounds({
    world: node.world as World<never>,
    pgs: { all: () => pgs, get: ({ seed }: PgId) => pgs[seed] } as unknown as PgDirectory,
    epoch: () => 8,
    send: (to, message) => void sent.push([to, message]),
  });
  node.onEvent = (event) => void (event.kind === 'timer' && rounds.onTimer(event.name));
  rounds.start();
});

const LENGTH = 16 * SECOND;

test('each member gets one message a round, three times in the length of a lease', () => {
  network.run(LENGTH / 3);

  expect(sent).toEqual([
    [1, { type: 'pg_leases', epoch: 8, leases: [{ pgid: pgs[0]!.pgid, lease: { until: 100, intervalUs: LENGTH } }] }],
    [
      2,
      {
        type: 'pg_leases',
        epoch: 8,
        leases: [
          { pgid: pgs[0]!.pgid, lease: { until: 100, intervalUs: LENGTH } },
          { pgid: pgs[1]!.pgid, lease: { until: 101, intervalUs: LENGTH } },
        ],
      },
    ],
  ]);
  network.run(LENGTH);
  expect(sent).toHaveLength(8);
});

test('a primary that is alone goes on by itself', () => {
  network.run(LENGTH / 3);

  expect(pgs.map(({ wakes }) => wakes)).toEqual([1, 1, 1]);
});

test('nothing is renewed for PGs that serve nobody, or belong to another', () => {
  pgs[0]!.lease = undefined;
  pgs[1]!.core.isPrimary = false;
  network.run(LENGTH);

  expect(sent).toEqual([]);
  expect(pgs.map(({ wakes }) => wakes)).toEqual([0, 0, 3]);
});

test('leases that count are acknowledged, all in one message', () => {
  const lease = (until: number): Lease => ({ until, intervalUs: LENGTH });
  const leases = pgs.map(({ pgid }, i) => ({ pgid, lease: lease(i + 1) }));
  pgs[0]!.primary = 4;
  pgs[1]!.primary = 5;
  pgs[2]!.primary = 4;
  rounds.onLeases(4, { type: 'pg_leases', epoch: 7, leases });
  // A PG that is not here.
  rounds.onLeases(4, { type: 'pg_leases', epoch: 7, leases: [{ pgid: { pool: 1, seed: 9 }, lease: lease(5) }] });

  expect(pgs.map(({ taken }) => taken)).toEqual([[lease(1)], [], [lease(3)]]);
  const acks = [
    { pgid: pgs[0]!.pgid, until: 1 },
    { pgid: pgs[2]!.pgid, until: 3 },
  ];
  expect(sent).toEqual([[4, { type: 'pg_lease_acks', epoch: 8, acks }]]);
});

test('acknowledgements reach their PGs', () => {
  const acks = [1, 0, 9].map((seed) => ({ pgid: { pool: 1, seed }, until: 50 + seed }));
  rounds.onAcks(2, { type: 'pg_lease_acks', epoch: 8, acks });

  expect(pgs.map((pg) => pg.acks)).toEqual([[[2, 50]], [[2, 51]], []]);
});
