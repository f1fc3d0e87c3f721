/** Snapshots of one pool: those with names, and numbers for those that a client keeps account of itself. */
import { type Bytes, Decoder, Errno, MalformedInput, type PoolId, type RawString, type UTime } from '@spirula/encoding';
import { type OsdMap, type Pool, PoolFlag, type PoolSnap } from '@spirula/maps';
import { type Message, PoolOpCode, type PoolOpReply } from '@spirula/messages';
import type { MonClient } from '@spirula/mon-client';
import type { Objecter } from '@spirula/objecter';
import { RadosError } from './rados-error.ts';

/** One of an object's clones, or the object itself (clone_info). */
export interface ObjectClone {
  readonly id: bigint | 'head';
  /** The snapshots it is the object of. */
  readonly snaps: readonly bigint[];
  readonly size: number;
  /** Bytes that it shares with what comes after it. */
  readonly overlap: readonly { readonly offset: number; readonly length: number }[];
}

/** All that is kept of an object (snap_set_t). */
export interface SnapSet {
  /** Number of the newest snapshot that it knows of. */
  readonly seq: bigint;
  /** Oldest first, then the object itself unless it is removed. */
  readonly clones: readonly ObjectClone[];
}

export interface Snapshot {
  readonly id: bigint;
  readonly name: string;
  readonly stamp: UTime;
}

export class PoolSnapshots {
  readonly #mon: MonClient;
  readonly #objecter: Objecter;
  readonly #pool: PoolId;

  constructor(mon: MonClient, objecter: Objecter, pool: PoolId) {
    this.#mon = mon;
    this.#objecter = objecter;
    this.#pool = pool;
  }

  /** By number, as our map has them. */
  list(): readonly Snapshot[] {
    const snaps: readonly PoolSnap[] = [...(this.#ofPool()?.snaps.values() ?? [])];
    return [...snaps].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Whether clients number the pool's snapshots by themselves. */
  get isSelfManaged(): boolean {
    return ((this.#ofPool()?.flags ?? 0n) & PoolFlag.selfmanagedSnaps) !== 0n;
  }

  /** @throws RadosError ENOENT */
  lookUp(name: string): Snapshot {
    const found = this.list().find((snap) => snap.name === name);
    if (!found) throw new RadosError(Errno.ENOENT, `snapshot ${name}`);
    return found;
  }

  /** Takes a snapshot of all the pool. @throws RadosError EEXIST; EINVAL when the pool's are self-managed */
  async create(name: string): Promise<void> {
    if (this.list().some((snap) => snap.name === name)) throw new RadosError(Errno.EEXIST, `snapshot ${name}`);
    await this.#run(PoolOpCode.createSnap, { name });
  }

  /** @throws RadosError ENOENT; EINVAL when the pool's are self-managed */
  async remove(name: string): Promise<void> {
    this.lookUp(name);
    await this.#run(PoolOpCode.deleteSnap, { name });
  }

  /** A number for a new self-managed snapshot. @throws RadosError EINVAL when the pool has snapshots with names */
  async createSelfManaged(): Promise<bigint> {
    const response = await this.#run(PoolOpCode.createUnmanagedSnap, {});
    try {
      return new Decoder(response ?? new Uint8Array()).u64big('snapid');
    } catch (error) {
      if (error instanceof MalformedInput) throw new RadosError(Errno.EIO, 'the reply does not parse');
      throw error;
    }
  }

  /** OSDs give up what is kept for it alone. @throws RadosError ENOENT, EOPNOTSUPP, EINVAL */
  async removeSelfManaged(snapid: bigint): Promise<void> {
    await this.#run(PoolOpCode.deleteUnmanagedSnap, { snapid });
  }

  #ofPool(): Pool | undefined {
    const map: OsdMap | undefined = this.#objecter.map;
    return map?.pools.get(this.#pool);
  }

  /** Resolves with what the monitors answered, once our map shows what they did. */
  async #run(op: number, { name = '', snapid = 0n }): Promise<Bytes | undefined> {
    const pool = this.#pool;
    const make = (tid: bigint, fsid: PoolOpReply['fsid']): Message => ({
      type: 'pool_op',
      tid,
      fsid,
      pool,
      op,
      snapid,
      name,
      crushRule: 0,
    });
    const reply = await new Promise<Message | undefined>((resolve) => this.#mon.request(make, resolve));
    if (reply?.type !== 'pool_op_reply') throw new RadosError(Errno.ESHUTDOWN, 'a pool operation');
    await new Promise((resolve) => this.#objecter.waitForMap(reply.epoch, resolve));
    if (reply.code < 0) throw new RadosError(reply.code, 'a pool operation');
    return reply.response;
  }
}

const HEAD = 0xffff_ffff_ffff_fffen;

/** What list-snaps answers (obj_list_snap_response_t). @throws RadosError EIO */
export function parseSnapSet(oid: RawString, output: Bytes): SnapSet {
  try {
    const from = new Decoder(output);
    return from.struct('clones', 2, (version) => {
      const clones = from.list('clones', 1, () =>
        from.struct('clone', 1, (): ObjectClone => {
          const id = from.u64big('clone');
          const snaps = from.list('snaps', 8, () => from.u64big('snap'));
          const overlap = from.list('overlap', 16, () => ({ offset: from.u64('offset'), length: from.u64('length') }));
          return { id: id === HEAD ? 'head' : id, snaps, overlap, size: from.u64('size') };
        }),
      );
      return { clones, seq: version < 2 ? HEAD : from.u64big('seq') };
    });
  } catch (error) {
    if (error instanceof MalformedInput) throw new RadosError(Errno.EIO, `${oid}: the reply does not parse`);
    throw error;
  }
}
