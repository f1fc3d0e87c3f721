import { type Bytes, utf8 } from '@spirula/encoding';
import { type BlockDevice, DeviceError, type Instant, type KeyValue, SECOND, type WorldEvent } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import { SimDisk } from './disk.ts';
import { type DiskProfile, HDD_7200, NVME_SSD, QUICK_DISK, SATA_SSD } from './disk-profile.ts';
import { SeededRandom } from './random.ts';
import { Scheduler } from './scheduler.ts';

const BLOCK = 4096;
const SIZE = 1 << 20;

/** A disk with somebody who reads and writes it. */
class Bench {
  readonly scheduler = new Scheduler();
  readonly disk: SimDisk;
  kv!: KeyValue;
  block!: BlockDevice;
  events: WorldEvent<never>[] = [];

  constructor(profile: DiskProfile = QUICK_DISK, seed = 1) {
    this.disk = new SimDisk(this.scheduler, new SeededRandom(seed, 'disk'), profile, SIZE);
    this.attach();
  }

  attach(): void {
    const reportBug = (problem: string) => {
      throw new Error(problem);
    };
    ({ kv: this.kv, block: this.block } = this.disk.attach({ post: (event) => this.events.push(event), reportBug }));
  }

  get now(): Instant {
    return this.scheduler.now;
  }

  runFor(us: Instant): void {
    const until = this.now + us;
    while (this.scheduler.step(until));
  }

  put(key: string, value: Bytes = utf8('v')): void {
    this.kv.submit([{ op: 'put', key: utf8(key), value }], 1);
  }

  /** Writes blocks and has them flushed. */
  store(first: number, count: number, value: number): void {
    this.block.write(first * BLOCK, filled(count, value));
    this.flush();
  }

  /** Microseconds until a flush is back. */
  flush(): Instant {
    return this.until('flushed', () => this.block.flush(2));
  }

  until(kind: 'flushed' | 'committed', ask: () => void): Instant {
    const begun = this.now;
    this.events = [];
    ask();
    while (!this.events.some((event) => event.kind === kind))
      if (!this.scheduler.step(begun + 100 * SECOND)) throw new Error('never');
    return this.now - begun;
  }

  /** First byte of each block. */
  see(first: number, count: number): number[] {
    const bytes = this.block.read(first * BLOCK, count * BLOCK);
    return Array.from({ length: count }, (_, i) => bytes[i * BLOCK]!);
  }

  crash(): void {
    this.disk.crash();
    this.attach();
  }
}

function filled(blocks: number, value: number): Uint8Array {
  return new Uint8Array(blocks * BLOCK).fill(value);
}

function catchError(work: () => void): DeviceError {
  try {
    work();
  } catch (error) {
    if (error instanceof DeviceError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('errors', () => {
  test('reads and writes fail where they are made to, and nowhere else, until healed', () => {
    const bench = new Bench();
    bench.store(0, 8, 1);
    const within = { offset: 2 * BLOCK, length: 2 * BLOCK };
    bench.disk.faults.fail('read', { within });
    bench.disk.faults.fail('write', { within });

    expect(catchError(() => bench.see(0, 3))).toMatchObject({
      code: -5,
      message: 'the disk fails a read of 12288 bytes at 0: input/output error',
    });
    expect(catchError(() => bench.block.write(3 * BLOCK, filled(1, 2))).code).toBe(-5);
    expect(bench.see(0, 2)).toEqual([1, 1]);
    expect(bench.see(4, 4)).toEqual([1, 1, 1, 1]);
    expect(bench.disk.damaged()).toEqual([within]);
    bench.disk.faults.heal();
    expect(bench.see(0, 8)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
    expect(bench.disk.damaged()).toEqual([]);
  });

  test('an error may come so many times, or one time in so many', () => {
    const bench = new Bench();
    bench.disk.faults.fail('read', { times: 2 });
    for (let i = 0; i < 2; i++) expect(catchError(() => bench.see(0, 1)).code).toBe(-5);
    expect(bench.see(0, 1)).toEqual([0]);
    bench.disk.faults.fail('read', { oneIn: 4 });
    let failed = 0;
    for (let i = 0; i < 400; i++) {
      try {
        bench.see(0, 1);
      } catch {
        failed += 1;
      }
    }

    expect(failed).toBeGreaterThan(60);
    expect(failed).toBeLessThan(140);
    expect(bench.disk.damaged()).toEqual([]);
  });

  test.each(['flush', 'commit'] as const)(
    'after a %s that failed nothing comes back, until the daemon is started again',
    (operation) => {
      const bench = new Bench();
      bench.disk.faults.fail(operation, { times: 1 });
      bench.put('a');
      bench.block.flush(2);
      bench.runFor(SECOND);
      bench.put('b');
      bench.block.flush(3);
      bench.runFor(SECOND);

      expect(bench.events.at(-1)).toEqual({
        kind: 'storageFailed',
        code: -5,
        detail: `the disk fails a ${operation}: input/output error`,
      });
      expect(bench.events.filter(({ kind }) => kind === (operation === 'flush' ? 'flushed' : 'committed'))).toEqual([]);
      bench.crash();
      bench.until('committed', () => bench.put('c'));
      bench.flush();
    },
  );

  test('what did not come back before a failed commit may be there afterwards, or not, but as a prefix', () => {
    const found = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const bench = new Bench(QUICK_DISK, seed);
      bench.disk.faults.fail('commit');
      for (const key of ['a', 'b', 'c']) bench.put(key);
      bench.runFor(SECOND);
      bench.crash();
      found.add(
        [...bench.kv.range({ start: utf8('a'), end: utf8('z') })].map(([key]) => String.fromCharCode(key[0]!)).join(''),
      );
    }

    expect([...found].sort()).toEqual(['', 'a', 'ab', 'abc']);
  });
});

describe('damage', () => {
  test('rotten bits are there for every reader, after a crash too, and end with an overwrite', () => {
    const bench = new Bench();
    bench.store(0, 4, 0);
    bench.block.write(2 * BLOCK, filled(1, 0));
    bench.disk.faults.rot(2 * BLOCK, 3);
    const ones = () =>
      bench.block.read(0, 4 * BLOCK).reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
    const before = ones();
    bench.flush();
    bench.crash();

    expect([before, ones()]).toEqual([3, 3]);
    expect(bench.disk.damaged()).toEqual([{ offset: 2 * BLOCK, length: BLOCK }]);
    bench.store(2, 1, 0);
    expect(ones()).toBe(0);
    expect(bench.disk.damaged()).toEqual([]);
  });

  test('a block that rots before its write is flushed is rotten on the disk as well', () => {
    let lost = 0;
    for (let seed = 0; seed < 20; seed++) {
      const bench = new Bench(QUICK_DISK, seed);
      bench.block.write(BLOCK, filled(1, 0));
      bench.disk.faults.rot(BLOCK);
      bench.flush();
      bench.block.write(BLOCK, filled(1, 0xff));
      bench.crash();
      const bytes = bench.block.read(BLOCK, BLOCK);
      if (bytes.includes(0xff)) continue;
      lost += 1;

      expect(bytes.filter((byte) => byte !== 0)).toHaveLength(1);
      expect(bench.disk.damaged()).toEqual([{ offset: BLOCK, length: BLOCK }]);
    }
    expect(lost).toBeGreaterThan(0);
  });

  test('rot is drawn among blocks that were written, never the first', () => {
    const bench = new Bench();
    bench.store(0, 2, 1);
    bench.store(9, 1, 1);

    expect(new Set(bench.disk.faults.rotSome(5))).toEqual(new Set([BLOCK, 9 * BLOCK]));
    expect(bench.disk.damaged()).toEqual([
      { offset: BLOCK, length: BLOCK },
      { offset: 9 * BLOCK, length: BLOCK },
    ]);
  });

  test('a write that is lost is acknowledged and flushed, and the block keeps what it had', () => {
    const bench = new Bench();
    bench.store(1, 3, 1);
    bench.disk.faults.spoilNextWrite('lost');
    bench.store(2, 1, 2);
    bench.crash();

    expect(bench.see(1, 3)).toEqual([1, 1, 1]);
    expect(bench.disk.damaged()).toEqual([{ offset: 2 * BLOCK, length: BLOCK }]);
  });

  test('a write that goes astray hits another block that was written, and its own keeps what it had', () => {
    const bench = new Bench();
    bench.store(0, 1, 1);
    bench.store(5, 1, 1);
    bench.disk.faults.spoilNextWrite('misdirected');
    bench.store(8, 1, 2);
    bench.crash();

    expect([bench.see(0, 1), bench.see(5, 1), bench.see(8, 1)]).toEqual([[1], [2], [0]]);
    expect(bench.disk.damaged()).toEqual([
      { offset: 5 * BLOCK, length: BLOCK },
      { offset: 8 * BLOCK, length: BLOCK },
    ]);
    bench.store(5, 4, 3);
    expect(bench.disk.damaged()).toEqual([]);
  });

  test('a torn write lacks sectors without a crash', () => {
    const bench = new Bench();
    bench.store(1, 1, 1);
    bench.disk.faults.spoilNextWrite('torn');
    bench.store(1, 1, 2);
    const sectors = Array.from({ length: 8 }, (_, i) => bench.block.read(BLOCK, BLOCK)[i * 512]!);

    expect(sectors).toContain(1);
    expect(sectors).toContain(2);
    expect(bench.disk.damaged()).toEqual([{ offset: BLOCK, length: BLOCK }]);
  });

  test('what was not flushed when power failed is no damage', () => {
    for (let seed = 0; seed < 20; seed++) {
      const bench = new Bench(QUICK_DISK, seed);
      bench.store(1, 4, 1);
      bench.block.write(BLOCK, filled(2, 2));
      bench.disk.faults.spoilNextWrite('lost');
      bench.block.write(3 * BLOCK, filled(1, 2));
      bench.crash();

      expect(bench.disk.damaged()).toEqual([]);
    }
  });

  test('an overwrite that power cuts off ends damage only where all of it arrived', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const bench = new Bench(QUICK_DISK, seed);
      bench.store(1, 1, 0);
      bench.disk.faults.rot(BLOCK);
      bench.block.write(BLOCK, filled(1, 9));
      bench.crash();
      const arrived = bench.block.read(BLOCK, BLOCK).every((byte) => byte === 9);
      seen.add(`${arrived ? 'whole' : 'in part'}, ${bench.disk.damaged().length} damaged`);
    }

    expect([...seen].sort()).toEqual(['in part, 1 damaged', 'whole, 0 damaged']);
  });

  test('another disk in its place is empty and in order', () => {
    const bench = new Bench();
    bench.store(1, 1, 1);
    bench.until('committed', () => bench.put('a'));
    bench.disk.faults.rotSome(1);
    bench.disk.faults.fail('read');
    bench.disk.crash();
    bench.disk.wipe();
    bench.attach();

    expect(bench.see(1, 1)).toEqual([0]);
    expect(bench.kv.get(utf8('a'))).toBeUndefined();
    expect(bench.disk.damaged()).toEqual([]);
  });
});

describe('room', () => {
  test('a full disk takes overwrites, and refuses what needs more', () => {
    const bench = new Bench();
    bench.store(1, 2, 1);
    bench.until('committed', () => bench.put('a', utf8('1234')));
    bench.disk.faults.fill();
    bench.store(1, 1, 2);
    bench.until('committed', () => bench.put('a', utf8('5678')));

    expect(catchError(() => bench.block.write(9 * BLOCK, filled(1, 1)))).toMatchObject({
      code: -28,
      message: 'the disk has no room for a write of 4096 bytes at 36864: 8197 of 8197 bytes are used',
    });
    bench.put('b');
    bench.runFor(SECOND);
    expect(bench.events.at(-1)).toMatchObject({ kind: 'storageFailed', code: -28 });
    bench.crash();
    expect(bench.kv.get(utf8('b'))).toBeUndefined();
    bench.until('committed', () => bench.kv.submit([{ op: 'del', key: utf8('a') }], 1));
    bench.until('committed', () => bench.put('b'));
  });

  test('a batch for which there was no room is not there after a crash either', () => {
    for (let seed = 0; seed < 10; seed++) {
      const bench = new Bench(QUICK_DISK, seed);
      bench.disk.faults.fill();
      bench.put('a');
      bench.runFor(SECOND);
      bench.crash();

      expect(bench.kv.get(utf8('a'))).toBeUndefined();
    }
  });

  test('nor is a batch that was submitted after it, before anybody heard of that', () => {
    for (let seed = 0; seed < 10; seed++) {
      const bench = new Bench(QUICK_DISK, seed);
      bench.put('a', utf8('1234'));
      bench.runFor(SECOND);
      bench.disk.faults.fill();
      bench.put('b');
      bench.runFor(SECOND);
      bench.put('a', utf8('1'));
      bench.runFor(SECOND);
      bench.crash();

      expect(bench.kv.get(utf8('a'))).toEqual(utf8('1234'));
    }
  });

  test('of a group of batches those that fit are durable, none after', () => {
    const bench = new Bench();
    bench.disk.faults.limit(4);
    for (const key of ['a', 'b', 'c', 'd']) bench.put(key);
    bench.runFor(SECOND);
    bench.crash();

    expect(bench.events.map(({ kind }) => kind)).toEqual(['committed', 'committed', 'storageFailed']);
    expect([...bench.kv.range({ start: utf8('a'), end: utf8('z') })]).toHaveLength(2);
  });
});

describe('time', () => {
  test.each(['it has passed', 'it is healed'])(
    'a stall holds back flushes and commits until %s, and no reads',
    (end) => {
      const bench = new Bench();
      bench.block.flush(2);
      bench.put('a');
      bench.disk.faults.stall(end === 'it is healed' ? 3600 * SECOND : 5 * SECOND);
      bench.runFor(4.9 * SECOND);
      bench.see(0, 1);

      expect(bench.events).toEqual([]);
      expect(bench.disk.takeCharge()).toBe(0);
      if (end === 'it is healed') bench.disk.faults.heal();
      bench.runFor(0.1 * SECOND);
      expect(bench.events.map(({ kind }) => kind).sort()).toEqual(['committed', 'flushed']);
      expect(bench.flush()).toBeLessThan(SECOND);
    },
  );

  test('a stall that is over when another begins does not end that', () => {
    const bench = new Bench();
    bench.disk.faults.stall(SECOND);
    bench.disk.faults.stall(3 * SECOND);

    expect(bench.flush()).toBe(3 * SECOND);
  });

  test('a slow disk takes so many times longer, until healed', () => {
    const profile = { ...QUICK_DISK, flushUs: [200, 200] as const };
    const bench = new Bench(profile);
    bench.disk.faults.slow(50);
    const slow = [bench.flush(), bench.until('committed', () => bench.put('a'))];
    bench.disk.faults.heal();

    expect(slow).toEqual([10_000, 10_000]);
    expect(bench.flush()).toBe(200);
  });

  test('one flush in so many stalls', () => {
    const bench = new Bench({ flushUs: [100, 100], stallOneIn: 5, stallUs: SECOND });
    const long = Array.from({ length: 200 }, () => bench.flush()).filter((us) => us > 100);

    expect(long.length).toBeGreaterThan(20);
    expect(long.length).toBeLessThan(60);
  });

  test('a hard disk reads 4 KiB at random in 11.2 ms, an SSD in what its data sheet says', () => {
    const charge = (profile: DiskProfile) => {
      const bench = new Bench(profile);
      bench.see(100, 1);
      return bench.disk.takeCharge();
    };

    // ceph-tools: 11.19 ms, 89 a second.
    expect(charge(HDD_7200)).toBeGreaterThan(11_100);
    expect(charge(HDD_7200)).toBeLessThan(11_300);
    expect(charge(SATA_SSD)).toBe(50 + Math.ceil(1e6 / 75_000));
    expect(charge(NVME_SSD)).toBe(85 + 2);
  });

  test('reads one after another add up, and those of neighbours cost a hard disk no seek', () => {
    const bench = new Bench(HDD_7200);
    bench.see(100, 1);
    bench.see(50, 1);
    const apart = bench.disk.takeCharge();
    bench.runFor(apart);
    for (let i = 51; i < 61; i++) bench.see(i, 1);

    expect(apart).toBeGreaterThan(22_000);
    expect(bench.disk.takeCharge()).toBeLessThan(2000);
  });

  test('scattered writes make a flush long, the longer the more, but less for each', () => {
    const flushOf = (profile: DiskProfile, writes: number) => {
      const bench = new Bench(profile);
      for (let i = 0; i < writes; i++) bench.block.write((2 * i + 1) * BLOCK, filled(1, 1));
      return bench.flush();
    };

    expect(flushOf(HDD_7200, 1)).toBeGreaterThan(11_000);
    expect(flushOf(HDD_7200, 32)).toBeGreaterThan(100_000);
    expect(flushOf(HDD_7200, 32)).toBeLessThan(200_000);
    expect(flushOf(NVME_SSD, 32)).toBeLessThan(1000);
  });

  test('bytes take the time that bandwidth allows, and two that are outstanding share it', () => {
    const bench = new Bench(SATA_SSD);
    bench.block.write(0, filled(200, 1));
    const alone = bench.flush();
    bench.block.write(0, filled(200, 1));
    bench.events = [];
    bench.put('a', new Uint8Array(200 * BLOCK));
    const together = bench.flush();

    // 819,200 bytes at 410 MB/s are 1,998 us.
    expect(alone).toBeGreaterThan(1998);
    expect(alone).toBeLessThan(2400);
    expect(together).toBeGreaterThan(3996);
    expect(together).toBeLessThan(4600);
  });

  test('a read waits behind a full queue, but not behind all that will ever be written', () => {
    const bench = new Bench(SATA_SSD);
    for (let i = 0; i < 100; i++) bench.block.write(2 * i * BLOCK, filled(1, 1));
    bench.block.flush(1);
    bench.see(201, 1);
    const charge = bench.disk.takeCharge();

    expect(charge).toBeGreaterThan(32 * 13);
    expect(charge).toBeLessThan(1000);
  });
});
