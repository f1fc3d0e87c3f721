/**
 * Mistakes that somebody could make, each as a change of one source file, for the simulator to find. When one is not found any more,
 * faults, workload or checkers have become too weak: sharpen those, do not make the bug cruder.
 */

/** What watches for a kind of mistake: see `sim/scenarios/src/checkers`. */
type CheckerName =
  | 'linearizability'
  | 'durability'
  | 'replicas alike'
  | 'stores intact'
  | 'one Paxos value'
  | 'monitor leases'
  | 'one primary serving'
  | 'map epochs'
  | 'PG log and missing'
  | 'snapshots'
  | 'watch and notify'
  | 'convergence';

/** A mistake that somebody could make, as a change of one source file. */
export interface PlantedBug {
  /** For command lines. */
  readonly id: string;
  /** What the program does with it. */
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Occurs once in the file; when it does not any more, the bug is to be planted anew. */
  readonly snippet: string;
  readonly replacement: string;
  /** A ready scenario. */
  readonly scenario: string;
  readonly checker: CheckerName;
  /** What a run that is caught for the right reason says. */
  readonly verdict: RegExp;
}

/** What a client is told of an object cannot be: a write that was acknowledged is not there, or a read is stale. */
const NOT_LINEARIZABLE =
  /may have been|record \S+ (is there twice|was acknowledged and is not there|comes after|was refused)|records were read, and|in another read|were both told|it is \d+, and must be/;
/** At the end an acting OSD does not hold what was acknowledged. */
const NOT_DURABLE = /acknowledged last was/;
const REPLICAS_DIFFER = /^violation: pg \S+ \S+: osd\.\d+ .*, osd\.\d+ /;
/** What is read of a snapshot, or kept for it, is not what the object was when it was taken. */
const SNAPSHOT_WRONG = /in snapshot \d+ it is/;
const NOT_HEALED = /^unclean: /;

const MON_BUGS: readonly PlantedBug[] = [
  {
    id: 'commit-alone',
    name: 'a leader commits what only itself has accepted',
    file: 'packages/mon/src/paxos.ts',
    snippet: 'return this.#heard.size === this.#quorum.length;',
    replacement: 'return true;',
    scenario: 'standard',
    checker: 'one Paxos value',
    verdict: /has committed another value for version/,
  },
  {
    id: 'half-is-majority',
    name: 'half of the monitors, rounded down, count as a majority',
    file: 'packages/mon/src/elector.ts',
    snippet: 'return Math.floor(size / 2) + 1;',
    replacement: 'return Math.floor(size / 2);',
    scenario: 'standard',
    checker: 'monitor leases',
    verdict: /mon\.\S+ leads \d of \d monitors/,
  },
  {
    id: 'up-thru-as-asked',
    name: 'the monitors raise up_thru only once for each start of an OSD',
    file: 'packages/mon/src/osd-monitor.ts',
    snippet: 'this.#map.osdInfo[osd]!.upThru >= want ||',
    replacement: 'this.#map.osdInfo[osd]!.upThru >= this.#map.osdInfo[osd]!.upFrom ||',
    scenario: 'standard',
    checker: 'convergence',
    verdict: NOT_HEALED,
  },
];

const OSD_BUGS: readonly PlantedBug[] = [
  {
    id: 'loss-passed-over',
    name: 'a PG goes active though all OSDs of an interval in which it may have been written are gone',
    file: 'packages/osd/src/past-intervals.ts',
    snippet: 'pgDown = true;',
    replacement: '',
    scenario: 'lossy',
    checker: 'linearizability',
    verdict: NOT_LINEARIZABLE,
  },
  {
    id: 'ack-before-flush',
    name: 'OSDs acknowledge a write before the flush',
    file: 'packages/osd/src/replicated-backend.ts',
    snippet: 'pg.commit(inCollection(pg.cid, changes), onCommit);',
    replacement: 'pg.commit(inCollection(pg.cid, changes)); onCommit();',
    scenario: 'standard',
    checker: 'durability',
    verdict: NOT_LINEARIZABLE,
  },
  {
    id: 'primary-does-not-wait',
    name: 'a write is done when the primary has it, whoever else has',
    file: 'packages/osd/src/replicated-backend.ts',
    snippet: 'waitingFor: new Set(pg.actingRecoveryBackfill), changes',
    replacement: 'waitingFor: new Set([pg.whoami]), changes',
    scenario: 'standard',
    checker: 'durability',
    verdict: NOT_LINEARIZABLE,
  },
  {
    id: 'up-thru-not-awaited',
    name: 'a primary goes active before its up_thru is in the map',
    file: 'packages/osd/src/peering.ts',
    snippet: "if (this.#state.name !== 'WaitUpThru' || this.#needsUpThru()) return;",
    replacement: "if (this.#state.name !== 'WaitUpThru') return;",
    scenario: 'standard',
    checker: 'linearizability',
    verdict: new RegExp(`${NOT_LINEARIZABLE.source}|at once`),
  },
  {
    id: 'down-osd-not-awaited',
    name: 'a PG goes active without an OSD that alone may know of writes',
    file: 'packages/osd/src/past-intervals.ts',
    snippet: 'if (lostAt > interval.first) survivors += 1;',
    replacement: 'if (lostAt < map.epoch) survivors += 1;',
    scenario: 'standard',
    checker: 'durability',
    verdict: new RegExp(`${NOT_LINEARIZABLE.source}|at once`),
  },
  {
    id: 'read-without-lease',
    name: 'a primary serves reads without a lease, and does not wait for earlier ones to run out',
    file: 'packages/osd/src/pg.ts',
    snippet: 'return lease.priorRemaining(now) === 0 && now < lease.readableUntil(otherActing);',
    replacement: 'return true;',
    scenario: 'standard',
    checker: 'one primary serving',
    verdict: new RegExp(`${NOT_LINEARIZABLE.source}|at once`),
  },
  {
    id: 'maps-followed-again',
    name: 'an OSD that is sent maps which it has follows them again from the first, and ends where they do',
    file: 'packages/osd/src/osd-map-store.ts',
    snippet: `    const maps: OsdMap[] = [];
    const put = new Map<RawString, Uint8Array>();
`,
    replacement: `    const maps: OsdMap[] = [];
    const put = new Map<RawString, Uint8Array>();
    const before = this.at(Math.min(...message.incrementals.keys()) - 1);
    if (before !== undefined) [this.#current, this.#newest] = [before, before.epoch];
`,
    scenario: 'standard',
    checker: 'map epochs',
    verdict: /went back from OSDMap \d+ to \d+/,
  },
  {
    id: 'min-size-ignored',
    name: 'a PG serves with fewer OSDs than min_size',
    file: 'packages/osd/src/pg-core.ts',
    snippet: 'return this.acting.length >= this.pool.minSize;',
    replacement: 'return this.acting.length > 0;',
    scenario: 'standard',
    checker: 'durability',
    verdict: NOT_LINEARIZABLE,
  },
  {
    id: 'request-runs-twice',
    name: 'a request that is sent again is carried out again',
    file: 'packages/osd/src/client-ops.ts',
    snippet: 'if (isWrite && this.#writes.answerFromLog(op)) return;',
    replacement: '',
    scenario: 'standard',
    checker: 'linearizability',
    verdict: NOT_LINEARIZABLE,
  },
  {
    id: 'call-runs-twice',
    name: 'a call of a class that is sent again is carried out again',
    file: 'packages/osd/src/client-ops.ts',
    snippet: 'if (isWrite && this.#writes.answerFromLog(op)) return;',
    replacement: `const calls = message.ops.some(({ code }) => code === OsdOpCode.call);
    if (isWrite && !calls && this.#writes.answerFromLog(op)) return;`,
    scenario: 'standard',
    checker: 'linearizability',
    // Added twice; or refused, since it has what it asks for, or has given it up.
    verdict: /it is \d+, and must be|a lock was answered with -17|its unlock was answered with -2/,
  },
  {
    id: 'lock-by-cookie',
    name: 'a lock is taken from whoever holds it by who brings another cookie',
    file: 'packages/cls/src/lock/lock.ts',
    snippet:
      'if (others.length > 0 && (type !== LockType.shared || before.type !== type)) throw new ClassError(Errno.EBUSY);',
    replacement: 'if (others.some((each) => each.cookie === cookie)) throw new ClassError(Errno.EBUSY);',
    scenario: 'standard',
    checker: 'linearizability',
    verdict: /the lock was given to|the lock is held by \S+ and/,
  },
  {
    id: 'delete-not-merged',
    name: 'a replica that was away does not carry out the deletes it missed',
    file: 'packages/osd/src/pg-log-merge.ts',
    snippet: `      missing.rm(entry.oid);
      removeObject(entry.oid);`,
    replacement: '      missing.rm(entry.oid);',
    scenario: 'standard',
    checker: 'durability',
    verdict: new RegExp(`an object that the log deletes is not there|${NOT_DURABLE.source}|${NOT_LINEARIZABLE.source}`),
  },
  {
    id: 'missing-not-noted',
    name: 'an object rewound to an older version is not counted as missing',
    file: 'packages/osd/src/pg-log-merge.ts',
    snippet: 'missing.add(oid, priorVersion, NO_VERSION);',
    replacement: '',
    scenario: 'standard',
    checker: 'PG log and missing',
    verdict: /an object that the log writes is there|answered with -\d+|may have been/,
  },
  {
    id: 'write-to-degraded',
    name: 'an object is written to while a replica misses it',
    file: 'packages/osd/src/client-ops.ts',
    snippet: 'if (isMissing || (isWrite && (this.#recovery.isDegraded(oid) || this.#backfill.isBusy(oid)))) {',
    replacement: 'if (isMissing || (isWrite && this.#backfill.isBusy(oid))) {',
    scenario: 'standard',
    checker: 'replicas alike',
    verdict: new RegExp(`${REPLICAS_DIFFER.source}|${NOT_DURABLE.source}|osd\\.\\d+: .*|may have been|^unclean`),
  },
  {
    id: 'backfill-misses-writes',
    name: 'a backfill target misses writes to what is pushed but not told to be there yet',
    file: 'packages/osd/src/backfill.ts',
    snippet: 'return this.#lastStarted !== undefined && compareHObjects(oid, this.#lastStarted) <= 0;',
    replacement: 'return false;',
    scenario: 'standard',
    checker: 'replicas alike',
    verdict: new RegExp(
      `${REPLICAS_DIFFER.source}|${NOT_DURABLE.source}|may have been|in the version that the log has`,
    ),
  },
  {
    id: 'reservation-kept',
    name: 'a slot for recovery is kept when the interval ends',
    file: 'packages/osd/src/pg.ts',
    snippet: '    host.remoteReservations.cancel(cid);\n    this.#backend.onReset();',
    replacement: '    this.#backend.onReset();',
    scenario: 'standard',
    checker: 'convergence',
    verdict: NOT_HEALED,
  },
];

const STORE_BUGS: readonly PlantedBug[] = [
  {
    id: 'commits-overtake',
    name: 'batches of an object store overtake those that wait for a flush',
    file: 'packages/objectstore/src/commit-queue.ts',
    snippet: `
    for (const { awaits } of this.#held) {
      if (awaits !== undefined && !this.#flushed.delete(awaits)) break;
      ready += 1;
    }`,
    replacement: `
    const isReady = ({ awaits }: Commit) => awaits === undefined || this.#flushed.has(awaits);
    ready = this.#held.filter(isReady).length;
    this.#held = [...this.#held.filter(isReady), ...this.#held.filter((commit) => !isReady(commit))];`,
    scenario: 'standard',
    checker: 'PG log and missing',
    // What a store, a log or a client finds out of order first.
    verdict:
      /osd\.\d+: (deferred writes commit|a block is released|.*(log|head|version))|may have been|answered with -5/,
  },
  {
    id: 'data-not-flushed',
    name: 'metadata commit before the data they refer to are flushed',
    file: 'packages/objectstore/src/extent-store.ts',
    snippet: 'const awaits = this.#data.takeWroteDirectly() ? this.#flush() : undefined;',
    replacement: 'if (this.#data.takeWroteDirectly()) this.#flush();\n    const awaits = undefined;',
    scenario: 'standard',
    checker: 'stores intact',
    verdict: /is damaged/,
  },
  {
    id: 'block-reused-early',
    name: 'a block is free before the transaction that gives it up is durable',
    file: 'packages/objectstore/src/extent-store.ts',
    snippet: 'free: (block) => this.#open.freed.push(block),',
    replacement:
      'free: (block) => {\n        if (this.#deferred.isOutstanding(block)) this.#open.freed.push(block);\n        else this.#allocator.release(block);\n      },',
    scenario: 'standard',
    checker: 'stores intact',
    verdict: /is damaged/,
  },
  {
    id: 'deferred-not-replayed',
    name: 'deferred writes are not replayed at mount',
    file: 'packages/objectstore/src/extent-store.ts',
    snippet: 'this.#deferred.replay(kv, blockCount);',
    replacement: '',
    scenario: 'standard',
    checker: 'stores intact',
    verdict: /is damaged/,
  },
  {
    id: 'checksum-ignored',
    name: 'checksums of blocks are not compared',
    file: 'packages/objectstore/src/object-data.ts',
    snippet: 'if (crc !== stored) {',
    replacement: 'if (crc !== stored && bytes.length === 0) {',
    scenario: 'hostile',
    checker: 'linearizability',
    verdict: new RegExp(`${NOT_LINEARIZABLE.source}|${REPLICAS_DIFFER.source}|${NOT_DURABLE.source}`),
  },
  {
    id: 'cut-end-kept',
    name: 'truncating leaves the bytes that are cut off, for a later write to uncover',
    file: 'packages/objectstore/src/object-data.ts',
    snippet: 'if (size < onode.size) this.zero(onode, size, onode.size - size);',
    replacement: 'if (size < onode.size) {}',
    scenario: 'standard',
    checker: 'linearizability',
    verdict: NOT_LINEARIZABLE,
  },
  {
    id: 'omap-outlives-object',
    name: 'entries of an omap stay when its object is removed',
    file: 'packages/objectstore/src/omap.ts',
    snippet: `    this.#kv.delRange(prefix, afterPrefix(prefix));
    this.#kv.del(omapHeaderKey(nid));`,
    replacement: '    this.#kv.del(omapHeaderKey(nid));',
    scenario: 'standard',
    checker: 'stores intact',
    verdict: /osd\.\d+: /,
  },
];

const CLIENT_BUGS: readonly PlantedBug[] = [
  {
    id: 'new-tid',
    name: 'a request that is sent again gets a new number',
    file: 'packages/objecter/src/objecter.ts',
    snippet: 'const retry = op.attempts++;',
    replacement: `const retry = op.attempts++;
    if (retry > 0) {
      this.#ops.delete(op.tid);
      (op as { tid: bigint }).tid = ++this.#lastTid;
      this.#ops.set(op.tid, op);
    }`,
    scenario: 'standard',
    checker: 'linearizability',
    verdict: NOT_LINEARIZABLE,
  },
  {
    id: 'old-placement',
    name: 'a client goes on with placements of an older map',
    file: 'packages/objecter/src/op-target.ts',
    snippet: 'const placement = placed.place(pgid);',
    replacement: `const placement = (pool as { placements?: Map<number, PgPlacement> }).placements?.get(pgid.seed) ?? placed.place(pgid);
  ((pool as { placements?: Map<number, PgPlacement> }).placements ??= new Map()).set(pgid.seed, placement);`,
    scenario: 'standard',
    checker: 'convergence',
    verdict: /^unclean: .*waits for \d+ answers/,
  },
  {
    id: 'subscriptions-lost',
    name: 'a new session with a monitor does not renew what was subscribed to',
    file: 'packages/mon-client/src/mon-client.ts',
    snippet: 'this.#sendSubscriptions(this.#subscriptions.wanted);\n    if',
    replacement: "this.#sendSubscriptions(new Map([['monmap', { start: 0, once: false }]]));\n    if",
    scenario: 'standard',
    checker: 'convergence',
    verdict: NOT_HEALED,
  },
];

const SNAP_BUGS: readonly PlantedBug[] = [
  {
    id: 'clone-of-one-snap',
    name: 'a clone is the object of the newest snapshot only, however many were taken since the last write',
    file: 'packages/osd/src/make-writeable.ts',
    snippet: 'const snaps = snapc.snaps.filter((snap) => snap > snapset.seq);',
    replacement: 'const snaps = snapc.snaps.filter((snap) => snap > snapset.seq).slice(0, 1);',
    scenario: 'standard',
    checker: 'snapshots',
    verdict: SNAPSHOT_WRONG,
  },
  {
    id: 'trimmed-with-another',
    name: 'trimming a snapshot takes the clone from a live one, too',
    file: 'packages/osd/src/trim-object.ts',
    snippet: 'const snaps = clone.snaps.filter((each) => each !== snap && !hasSnap(removed, each));',
    replacement: 'const snaps = clone.snaps.filter((each) => each > snap && !hasSnap(removed, each));',
    scenario: 'standard',
    checker: 'snapshots',
    verdict: SNAPSHOT_WRONG,
  },
  {
    id: 'recovered-clone-not-indexed',
    name: 'a clone that arrives whole by recovery or backfill is not in the index that trimming goes by',
    file: 'packages/osd/src/snap-mapper.ts',
    snippet: 'if (info) note(change.oid, decodeObjectInfo(info).snaps);',
    replacement: "if (info && transaction[0]?.op !== 'remove') note(change.oid, decodeObjectInfo(info).snaps);",
    scenario: 'standard',
    checker: 'snapshots',
    verdict: /the index lacks|is left, of removed snapshots/,
  },
];

const WATCH_BUGS: readonly PlantedBug[] = [
  {
    id: 'watchers-forgotten',
    name: 'a new primary does not wait for those who watch and have not come to it yet',
    file: 'packages/osd/src/watches.ts',
    snippet: 'if (items.length === 0 || this.#objects.has(objectKey(oid))) return;',
    replacement: 'if (items.length >= 0 || this.#objects.has(objectKey(oid))) return;',
    scenario: 'standard',
    checker: 'watch and notify',
    verdict: /was not told of|did not acknowledge/,
  },
  {
    id: 'watch-not-renewed',
    name: 'a client whose connection broke does not tell the OSD where its watches are now',
    file: 'packages/objecter/src/linger-ops.ts',
    snippet: 'if (linger.place?.osd === osd) this.#unplaced.add(linger);',
    replacement: "if (linger.place?.osd === osd && linger.role.kind === 'notify') this.#unplaced.add(linger);",
    scenario: 'standard',
    checker: 'watch and notify',
    verdict: /is broken with -110/,
  },
];

export const PLANTED_BUGS: readonly PlantedBug[] = [
  ...MON_BUGS,
  ...OSD_BUGS,
  ...STORE_BUGS,
  ...CLIENT_BUGS,
  ...SNAP_BUGS,
  ...WATCH_BUGS,
];
