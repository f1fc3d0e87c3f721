/** `tell osd.N bench`: how fast the OSD's own store writes (OSD::asok_command). */
import { type AdminArgs, type AdminResult, refuse, say, textOf } from '@spirula/admin-socket';
import { type Bytes, Errno } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import type { Transaction } from '@spirula/objectstore';
import { SECOND, type World } from '@spirula/world';
import { META_CID, metaOid } from './osd-superblock.ts';

export interface StoreBenchHost {
  readonly world: Pick<World, 'clock' | 'config'>;
  readonly available: number;
  submit(transaction: Transaction, onCommit: () => void): void;
}

const MIB = 1 << 20;
const DEFAULT_COUNT = 1024 * MIB;
const DEFAULT_SIZE = 4 * MIB;
/** Each has an object of its own, which it writes again and again: so much room is enough. */
const MOST_UNDER_WAY = 16;
/** What a block takes on the disk until the one before it is free. */
const ROOM_FACTOR = 4;

interface Plan {
  /** Bytes of all blocks together, and of one. */
  readonly count: number;
  readonly size: number;
  /** That are written at a time. */
  readonly objects: number;
}

export class StoreBench {
  readonly #host: StoreBenchHost;
  #isRunning = false;

  constructor(host: StoreBenchHost) {
    this.#host = host;
  }

  /** Writes `count` bytes in blocks of `size`, and is done when all are durable and gone again. */
  begin(args: AdminArgs, done: (result: AdminResult) => void): void {
    const plan = this.#plan(args);
    if ('code' in plan) return done(plan);
    this.#isRunning = true;
    const { clock } = this.#host.world;
    const began = clock.now();
    const { count, size } = plan;
    const blocks = Math.ceil(count / size);
    const objects = Array.from({ length: plan.objects }, (_, i) => metaOid(`bench_${i}`));
    const data = new Uint8Array(size).fill(0xa5);
    let next = 0;
    let durable = 0;
    const write = (oid: HObject) => {
      const left = count - next++ * size;
      this.#host.submit([writeOf(oid, left < size ? data.subarray(0, left) : data)], () => {
        durable += 1;
        if (next < blocks) write(oid);
        else if (durable === blocks) this.#finish(objects, plan, clock.now() - began, done);
      });
    };
    for (const oid of objects) write(oid);
  }

  #finish(objects: readonly HObject[], { count, size }: Plan, took: number, done: (result: AdminResult) => void): void {
    this.#host.submit(
      objects.map((oid) => ({ op: 'remove', cid: META_CID, oid }) as const),
      () => {
        this.#isRunning = false;
        const seconds = Math.max(took, 1) / SECOND;
        done(
          say({
            bytes_written: count,
            blocksize: size,
            elapsed_sec: seconds,
            bytes_per_sec: count / seconds,
            iops: count / size / seconds,
          }),
        );
      },
    );
  }

  /** What is asked for, within the bounds that keep the OSD's own work going. */
  #plan(args: AdminArgs): Plan | AdminResult {
    const { config } = this.#host.world;
    const count = numberOf(args, 'count', DEFAULT_COUNT);
    const wanted = numberOf(args, 'size', DEFAULT_SIZE);
    const objectSize = numberOf(args, 'object_size', wanted);
    const most = numberOf(args, 'object_num', MOST_UNDER_WAY);
    if (count === undefined || wanted === undefined || objectSize === undefined || most === undefined) {
      return refuse(Errno.EINVAL, 'count, size, object_size and object_num are numbers above 0');
    }
    if (wanted > config.osd_bench_max_block_size) {
      return refuse(Errno.EINVAL, `size is at most ${config.osd_bench_max_block_size} (osd_bench_max_block_size)`);
    }
    const isSmall = wanted < MIB;
    const bound =
      config.osd_bench_duration *
      (isSmall ? wanted * config.osd_bench_small_size_max_iops : config.osd_bench_large_size_max_throughput);
    if (count > bound) {
      const option = isSmall ? 'osd_bench_small_size_max_iops' : 'osd_bench_large_size_max_throughput';
      return refuse(Errno.EINVAL, `count is at most ${bound} for blocks of ${wanted} (${option}, osd_bench_duration)`);
    }
    const size = Math.min(wanted, objectSize);
    const objects = Math.min(most, Math.ceil(count / size), MOST_UNDER_WAY);
    if (this.#isRunning) return refuse(Errno.EBUSY, 'a bench is under way');
    const room = ROOM_FACTOR * size * objects;
    if (room > this.#host.available) return refuse(Errno.ENOSPC, `there is no room for ${room} bytes`);
    return { count, size, objects };
  }
}

function writeOf(oid: HObject, data: Bytes) {
  return { op: 'write', cid: META_CID, oid, offset: 0, data } as const;
}

/** Undefined: it is none. */
function numberOf<T>(args: AdminArgs, name: string, otherwise: T): number | T | undefined {
  const text = textOf(args, name);
  if (text === undefined) return otherwise;
  return /^\d{1,15}$/.test(text) && Number(text) > 0 ? Number(text) : undefined;
}
