/** Clients that take and remove snapshots, write meanwhile, and read and roll back to what objects were. */
import { Decoder, Errno, type RawString } from '@spirula/encoding';
import { type Message, NOSNAP, PoolOpCode } from '@spirula/messages';
import { ObjectOperation } from '@spirula/rados';
import { applyParts, type Change, stateOf } from '../object-model.ts';
import { newData, newMark } from './marked-data.ts';
import { contentOf, operationOf, wholeRead } from './object-parts.ts';
import { isUnknown } from './recorded-objects.ts';
import { SnapshotBook, type TakenSnap } from './snapshot-book.ts';
import type { SharedWork, SnapRequest, StoredCopy, Workload, WorkloadHost } from './workload.ts';
import type { SnapshotsSpec } from './workload-spec.ts';

const MAX_BYTES = 24_000;

export class SnapshotsWork implements SharedWork {
  readonly undecided = 0;
  readonly names: readonly RawString[];
  readonly book: SnapshotBook;
  readonly #spec: SnapshotsSpec;
  /** Changes under way: whose, and the snapshots that they know. */
  readonly #changes = new Map<RawString, { readonly client: string; readonly snaps: readonly bigint[] }>();
  readonly #taking = new Map<string, string>();
  #taken = 0;

  constructor(spec: SnapshotsSpec, prefix: string) {
    this.#spec = spec;
    this.names = Array.from({ length: spec.objects }, (_, i) => `${prefix}-${i}`);
    this.book = new SnapshotBook(this.names);
  }

  join(host: WorkloadHost): Workload {
    return new SnapshotsWorkload(this.#spec, this, host);
  }

  onClientGone(client: string): void {
    for (const [name, change] of this.#changes) if (change.client === client) this.endChange(name, 'unknown');
    for (const [key, taker] of this.#taking) if (taker === client) this.endTaking(key, undefined);
  }

  finish(): string[] {
    return [];
  }

  findLost(copiesOf: (object: RawString, snap?: bigint) => readonly StoredCopy[]): string[] {
    return this.names.flatMap((name) => [
      ...judgeCopies(name, copiesOf(name), (content) => this.book.judgeHead(name, content)),
      ...this.book.snaps.flatMap(({ id }) =>
        judgeCopies(name, copiesOf(name, id), (content) => this.book.judge(id, name, content)),
      ),
    ]);
  }

  /** Snapshots that no store may have anything of, once all is at rest. */
  get removedSnaps(): ReadonlySet<bigint> {
    return this.book.removed;
  }

  beginChange(client: string, name: RawString, snaps: readonly bigint[]): void {
    this.#changes.set(name, { client, snaps });
  }

  endChange(name: RawString, fate: 'done' | 'refused' | 'unknown'): void {
    this.#changes.delete(name);
    this.book.endChange(name, fate);
  }

  /** Whether a change under way might still make a clone for it, or rolls back to it. */
  isNamed(snap: bigint): boolean {
    return [...this.#changes.values()].some(({ snaps }) => snaps.includes(snap));
  }

  beginTaking(client: string): string {
    this.#taken += 1;
    const key = `snap-${this.#taken}`;
    this.#taking.set(key, client);
    this.book.beginTaking(key);
    return key;
  }

  /** Returns false when the snapshot is to be given back. */
  endTaking(key: string, snap: TakenSnap | undefined): boolean {
    this.#taking.delete(key);
    return this.book.endTaking(key, snap);
  }
}

function judgeCopies(
  name: RawString,
  copies: readonly StoredCopy[],
  judge: (read: ReturnType<typeof stateOf>) => string | undefined,
): string[] {
  return copies.flatMap(({ osd, content }) => {
    const problem = judge(stateOf(content, undefined));
    return problem === undefined ? [] : [`osd.${osd}: ${name}: ${problem}`];
  });
}

class SnapshotsWorkload implements Workload {
  readonly #spec: SnapshotsSpec;
  readonly #work: SnapshotsWork;
  readonly #host: WorkloadHost;

  constructor(spec: SnapshotsSpec, work: SnapshotsWork, host: WorkloadHost) {
    this.#spec = spec;
    this.#work = work;
    this.#host = host;
  }

  get #book(): SnapshotBook {
    return this.#work.book;
  }

  perform(name: RawString, how: 'reading' | 'writing', then: () => void): void {
    if (how === 'writing' && this.#book.isIdle(name)) this.#change(name, then);
    else this.#readHead(name, then);
  }

  readAll(which: (object: RawString) => boolean): void {
    for (const name of this.#work.names.filter(which)) {
      this.#readHead(name, () => {});
      for (const snap of this.#book.snaps) this.#readSnap(name, snap, () => {});
    }
  }

  request(_worker: string, then: () => void): void {
    const { random } = this.#host;
    const name = random.pick(this.#work.names);
    const { snaps } = this.#book;
    const draw = random.below(100);
    if (draw < 8 && snaps.length < this.#spec.snapshots) this.#take(then);
    else if (draw < 14 && snaps.length > 0) this.#remove(random.pick(snaps), then);
    else if (draw < 40 && snaps.length > 0) this.#readSnap(name, random.pick(snaps), then);
    else if (draw < 46 && snaps.length > 0 && this.#book.isIdle(name)) this.#rollBack(name, random.pick(snaps), then);
    else if (draw < 90 && this.#book.isIdle(name)) this.#change(name, then);
    else this.#readHead(name, then);
  }

  /** What a write sends along, and which snapshots it is certain to be made with. */
  #context(): { readonly request: SnapRequest; readonly knows: (snap: TakenSnap) => boolean; readonly ids: bigint[] } {
    const { snaps } = this.#book;
    if (this.#spec.mode === 'pool') {
      const { epoch } = this.#host;
      return { request: {}, knows: (snap) => snap.epoch <= epoch, ids: [] };
    }
    const ids = snaps.map(({ id }) => id);
    const known = new Set(ids);
    return { request: { snapSeq: ids[0] ?? 0n, snaps: ids }, knows: ({ id }) => known.has(id), ids };
  }

  #change(name: RawString, then: () => void): void {
    const parts = this.#drawChanges(name);
    const { state, result } = applyParts(this.#book.stateOf(name), parts);
    if (result < 0) return then();
    this.#write(name, operationOf(parts), state, then);
  }

  /** `source`: the snapshot that is rolled back to. */
  #write(
    name: RawString,
    operation: ObjectOperation,
    next: ReturnType<typeof stateOf>,
    then: () => void,
    source: readonly bigint[] = [],
  ): void {
    const { request, knows, ids } = this.#context();
    this.#book.beginChange(name, next, knows);
    this.#work.beginChange(this.#host.client, name, [...ids, ...source]);
    this.#host.submit(
      name,
      operation,
      undefined,
      (reply) => {
        const { result } = reply;
        this.#work.endChange(name, isUnknown(reply) ? 'unknown' : result < 0 ? 'refused' : 'done');
        if (result < 0 && !isUnknown(reply)) this.#host.violate(`${name}: a write was answered with ${result}`);
        if (result >= 0) this.#host.acknowledged(name, 0);
        then();
      },
      request,
    );
  }

  #rollBack(name: RawString, snap: TakenSnap, then: () => void): void {
    const held = this.#book.heldBy(snap.id, name);
    if (!held) return then();
    // Of a snapshot that is removed meanwhile there is nothing left, and to roll back to it removes the object, as in Ceph.
    this.#write(name, new ObjectOperation().rollback(snap.id), held, then, [snap.id]);
  }

  #readHead(name: RawString, then: () => void): void {
    const before = this.#book.isIdle(name) ? this.#book.stateOf(name) : undefined;
    this.#host.submit(name, wholeRead(), undefined, (reply) => {
      const isQuiet = before !== undefined && before === this.#book.stateOf(name) && this.#book.isIdle(name);
      const problem = isQuiet ? this.#book.judgeHead(name, stateOf(contentOf(reply), undefined)) : undefined;
      if (problem !== undefined) this.#host.violate(`${name}: ${problem}`);
      then();
    });
  }

  #readSnap(name: RawString, { id }: TakenSnap, then: () => void): void {
    this.#host.submit(
      name,
      wholeRead(),
      undefined,
      (reply) => {
        if (reply.result >= 0 || reply.result === Errno.ENOENT) {
          const problem = this.#book.judge(id, name, stateOf(contentOf(reply), undefined));
          if (problem !== undefined) this.#host.violate(`${name}: ${problem}`);
        } else if (!isUnknown(reply)) this.#host.violate(`${name}: a read was answered with ${reply.result}`);
        then();
      },
      { snapid: id },
    );
  }

  #take(then: () => void): void {
    const key = this.#work.beginTaking(this.#host.client);
    const isPool = this.#spec.mode === 'pool';
    const op = isPool ? PoolOpCode.createSnap : PoolOpCode.createUnmanagedSnap;
    this.#host.poolOp({ op, name: isPool ? key : '', snapid: 0n }, (reply) => {
      const snap = this.#takenBy(reply, isPool ? key : undefined);
      if (this.#work.endTaking(key, snap)) then();
      else this.#giveBack(snap!, then);
    });
  }

  #takenBy(reply: Message | undefined, name: string | undefined): TakenSnap | undefined {
    if (reply?.type !== 'pool_op_reply') return undefined;
    const { code, epoch, response } = reply;
    if (code < 0) {
      this.#host.violate(`a snapshot was refused with ${code}`);
      return undefined;
    }
    if (name !== undefined) {
      const id = this.#host.snapNamed(name);
      return id === undefined ? undefined : { id, name, epoch };
    }
    return { id: new Decoder(response!).u64big('snapid'), name, epoch };
  }

  #remove(snap: TakenSnap, then: () => void): void {
    if (!this.#book.has(snap.id) || this.#work.isNamed(snap.id)) return then();
    this.#giveBack(snap, then);
  }

  #giveBack({ id, name }: TakenSnap, then: () => void): void {
    this.#book.remove(id);
    const op = name === undefined ? PoolOpCode.deleteUnmanagedSnap : PoolOpCode.deleteSnap;
    this.#host.poolOp({ op, name: name ?? '', snapid: name === undefined ? id : NOSNAP }, () => then());
  }

  #drawChanges(name: RawString): Change[] {
    const { random } = this.#host;
    const exists = this.#book.stateOf(name).content !== undefined;
    if (exists && random.oneIn(6)) return [{ kind: 'remove' }];
    const changes = [this.#drawChange()];
    while (random.oneIn(3)) changes.push(this.#drawChange());
    return changes;
  }

  #drawChange(): Change {
    const { random } = this.#host;
    const data = () => newData(this.#host, 1 + random.below(random.pick([50, 5000, MAX_BYTES])));
    switch (random.below(6)) {
      case 0:
        return { kind: 'writeFull', data: data() };
      case 1:
        return { kind: 'truncate', size: random.below(MAX_BYTES) };
      case 2:
        return { kind: 'setXattr', name: `x${random.below(2)}`, value: newMark(this.#host) };
      case 3:
        return { kind: 'omapSet', key: `k${random.below(4)}`, value: newMark(this.#host) };
      default:
        return { kind: 'write', offset: random.below(random.pick([1, 5000, MAX_BYTES])), data: data() };
    }
  }
}
