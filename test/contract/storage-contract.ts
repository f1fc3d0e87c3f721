import { type Bytes, fromUtf8, utf8 } from '@spirula/encoding';
import { DeviceError, type KeyValue, type KvOp, type KvRange } from '@spirula/world';
import { expect } from 'vitest';
import { type ContractCase, Recorder } from './contract-fixture.ts';

const put = (key: string, value: string): KvOp => ({ op: 'put', key: utf8(key), value: utf8(value) });
const del = (key: string): KvOp => ({ op: 'del', key: utf8(key) });
const delRange = (start: string, end: string): KvOp => ({ op: 'delRange', start: utf8(start), end: utf8(end) });

function range(kv: KeyValue, start: string, end: string, options: Omit<KvRange, 'start' | 'end'> = {}): string {
  const entries = [...kv.range({ start: utf8(start), end: utf8(end), ...options })];
  return entries.map(([key, value]) => `${fromUtf8(key)}=${fromUtf8(value)}`).join(' ');
}

function get(kv: KeyValue, key: string): string | undefined {
  const value = kv.get(utf8(key));
  return value && fromUtf8(value);
}

function filled(length: number, value: number): Bytes {
  return new Uint8Array(length).fill(value);
}

export const KV_CONTRACT: readonly ContractCase[] = [
  {
    name: 'kv: a batch shows at once; committed events follow in order, never during submit',
    async run(fixture) {
      const daemon = await Recorder.start(fixture, 0);
      const { kv } = daemon.world;
      await daemon.act(() => {
        kv.submit([put('a', '1'), put('b', '1')], 7);
        expect(get(kv, 'a')).toBe('1');
        kv.submit([put('a', '2'), del('b')], 3);
        expect(range(kv, 'a', 'z')).toBe('a=2');
        kv.submit([], 3);
        expect(daemon.events).toEqual([]);
      });
      await daemon.event('committed', 3);

      expect(daemon.of('committed').map(({ token }) => token)).toEqual([7, 3, 3]);
      expect(get(kv, 'b')).toBeUndefined();
    },
  },
  {
    name: 'kv: keys are ordered by their bytes; ranges exclude their end, turn around and stop at their limit',
    async run(fixture) {
      const { kv } = (await Recorder.start(fixture, 0)).world;
      kv.submit(
        ['b', 'a', 'ab', 'c', 'd'].map((key) => put(key, '')),
        1,
      );
      kv.submit([{ op: 'put', key: new Uint8Array([0xff, 0x80]), value: utf8('') }], 2);
      kv.submit([{ op: 'put', key: new Uint8Array([0]), value: utf8('') }], 3);

      const all = [...kv.range({ start: new Uint8Array([0]), end: filled(3, 0xff) })];
      expect(all.map(([key]) => key[0])).toEqual([0, 97, 97, 98, 99, 100, 255]);
      expect(range(kv, 'a', 'c')).toBe('a= ab= b=');
      expect(range(kv, 'a', 'c', { reverse: true })).toBe('b= ab= a=');
      expect(range(kv, 'a', 'z', { limit: 2 })).toBe('a= ab=');
      expect(range(kv, 'a', 'z', { limit: 2, reverse: true })).toBe('d= c=');
      expect(range(kv, 'a', 'z', { limit: 0 })).toBe('');
      expect(range(kv, 'c', 'a')).toBe('');
      expect(range(kv, 'c', 'c')).toBe('');
    },
  },
  {
    name: 'kv: deleting a range spares its end and what the same batch puts there afterwards',
    async run(fixture) {
      const daemon = await Recorder.start(fixture, 0);
      const { kv } = daemon.world;
      kv.submit(
        ['a', 'b', 'c', 'd'].map((key) => put(key, '1')),
        1,
      );
      await daemon.event('committed');
      kv.submit([put('bb', '2'), delRange('b', 'd'), put('c', '3')], 2);
      expect(range(kv, 'a', 'z')).toBe('a=1 c=3 d=1');
      await daemon.event('committed', 2);

      expect(range(kv, 'a', 'z')).toBe('a=1 c=3 d=1');
    },
  },
  {
    name: 'kv: a range that was returned does not change with later batches',
    async run(fixture) {
      const { kv } = (await Recorder.start(fixture, 0)).world;
      kv.submit([put('a', '1'), put('b', '1')], 1);
      const entries = kv.range({ start: utf8('a'), end: utf8('z') });
      kv.submit([del('a'), put('b', '2'), put('c', '2')], 2);

      expect([...entries].map(([key, value]) => fromUtf8(key) + fromUtf8(value))).toEqual(['a1', 'b1']);
    },
  },
  {
    name: 'kv: keys of 1024 bytes and values of a megabyte are taken; an empty value is a value',
    async run(fixture) {
      const daemon = await Recorder.start(fixture, 0);
      const { kv } = daemon.world;
      const key = filled(1024, 0xfe);
      kv.submit([{ op: 'put', key, value: filled(1 << 20, 5) }, put('empty', '')], 1);
      await daemon.event('committed');

      expect(kv.get(key)).toHaveLength(1 << 20);
      expect(get(kv, 'empty')).toBe('');
    },
  },
  {
    name: 'kv: what one run of a daemon was owed the next is not told',
    async run(fixture) {
      const before = await Recorder.start(fixture, 0);
      await before.act(({ kv, block }) => {
        kv.submit([put('a', '1')], 1);
        block.flush(2);
      });
      await fixture.crash(0);
      const after = await Recorder.start(fixture, 0);
      await after.act(({ kv }) => kv.submit([put('b', '1')], 3));
      await after.event('committed');
      await fixture.wait(10_000);

      expect(before.events).toEqual([]);
      expect(after.events).toEqual([{ kind: 'committed', token: 3 }]);
    },
  },
  {
    name: 'kv: a crash leaves a prefix of the batches, with all that were committed',
    async run(fixture) {
      const batches = 40;
      let daemon = await Recorder.start(fixture, 0);
      await daemon.act(({ kv }) => {
        for (let i = 0; i < batches / 2; i++)
          kv.submit([put('x', `${i}`), put('y', `${i}`), del(`k${i - 1}`), put(`k${i}`, '')], i);
      });
      await daemon.event('committed', 3);
      await daemon.act(({ kv }) => {
        for (let i = batches / 2; i < batches; i++)
          kv.submit([put('x', `${i}`), put('y', `${i}`), del(`k${i - 1}`), put(`k${i}`, '')], i);
      });
      const committed = daemon.of('committed').at(-1)!.token;
      await fixture.crash(0);
      daemon = await Recorder.start(fixture, 0);
      const { kv } = daemon.world;

      const last = Number(get(kv, 'x'));
      expect(last).toBeGreaterThanOrEqual(committed);
      expect(get(kv, 'y')).toBe(`${last}`);
      expect(range(kv, 'k', 'l')).toBe(`k${last}=`);
      kv.submit([put('x', 'after')], 1);
      await daemon.event('committed');
      await fixture.crash(0);
      expect(get((await Recorder.start(fixture, 0)).world.kv, 'x')).toBe('after');
    },
  },
];

export const BLOCK_CONTRACT: readonly ContractCase[] = [
  {
    name: 'block: a write shows at once; what was never written reads as zeros',
    async run(fixture) {
      const { block } = (await Recorder.start(fixture, 0)).world;
      const { blockSize } = block;
      expect(blockSize % block.sectorSize).toBe(0);
      expect(block.size % blockSize).toBe(0);
      block.write(blockSize, filled(2 * blockSize, 1));
      block.write(2 * blockSize, filled(blockSize, 2));

      const bytes = block.read(0, 4 * blockSize);
      expect([0, 1, 2, 3].map((at) => bytes[at * blockSize + 5])).toEqual([0, 1, 2, 0]);
      expect(block.read(block.size - blockSize, blockSize)).toEqual(filled(blockSize, 0));
    },
  },
  {
    name: 'block: what was read stays as it was read, and what was written as it was given',
    async run(fixture) {
      const { block } = (await Recorder.start(fixture, 0)).world;
      const { blockSize } = block;
      block.write(0, filled(blockSize, 1));
      const before = block.read(0, blockSize);
      block.write(0, filled(blockSize, 2));

      expect(before[0]).toBe(1);
      expect(block.read(0, blockSize)[0]).toBe(2);
    },
  },
  {
    name: 'block: flushes come back, each once, never during the call',
    async run(fixture) {
      const daemon = await Recorder.start(fixture, 0);
      await daemon.act(({ block }) => {
        block.flush(4);
        block.write(0, filled(block.blockSize, 1));
        block.flush(9);
        expect(daemon.events).toEqual([]);
      });
      await daemon.event('flushed', 2);
      await fixture.wait(5000);

      expect(daemon.of('flushed').map(({ token }) => token)).toEqual([4, 9]);
    },
  },
  {
    name: 'block: what was flushed survives a crash; of the rest any sectors',
    async run(fixture) {
      const daemon = await Recorder.start(fixture, 0);
      const { blockSize, sectorSize } = daemon.world.block;
      await daemon.act(({ block }) => {
        block.write(0, filled(4 * blockSize, 1));
        block.flush(1);
      });
      await daemon.event('flushed');
      await daemon.act(({ block }) => block.write(blockSize, filled(2 * blockSize, 2)));
      await fixture.crash(0);
      const { block } = (await Recorder.start(fixture, 0)).world;

      expect(block.read(0, blockSize)).toEqual(filled(blockSize, 1));
      expect(block.read(3 * blockSize, blockSize)).toEqual(filled(blockSize, 1));
      for (let at = blockSize; at < 3 * blockSize; at += sectorSize) {
        const sector = block
          .read(Math.floor(at / blockSize) * blockSize, blockSize)
          .subarray(at % blockSize, (at % blockSize) + sectorSize);
        expect([1, 2]).toContain(sector[0]);
        expect(sector).toEqual(filled(sectorSize, sector[0]!));
      }
    },
  },
];

function errorOf(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

export const DISK_FAILURE_CONTRACT: readonly ContractCase[] = [
  {
    name: 'a disk that fails: reads and writes that it refuses throw a DeviceError, and others go on',
    async run(fixture) {
      const daemon = await Recorder.start(fixture, 0);
      const { block } = daemon.world;
      await daemon.act(() => block.write(0, filled(block.blockSize, 1)));
      for (const operation of ['read', 'write'] as const) {
        await fixture.breakDisk(0, operation);
        let error: unknown;
        await daemon.act(() => {
          error = errorOf(() =>
            operation === 'read' ? block.read(0, block.blockSize) : block.write(0, filled(block.blockSize, 2)),
          );
        });
        await fixture.mendDisk(0);

        expect(error).toBeInstanceOf(DeviceError);
        expect((error as DeviceError).code).toBe(-5);
        expect((error as DeviceError).message).not.toBe('');
      }
      await daemon.act(() => block.flush(1));
      await daemon.event('flushed');
      expect(block.read(0, block.blockSize)).toEqual(filled(block.blockSize, 1));
    },
  },
  ...(['commit', 'flush'] as const).map(
    (operation): ContractCase => ({
      name: `a disk that fails: a ${operation} that does is told once, as the last thing in that run; the next run finds what was durable`,
      async run(fixture) {
        const before = await Recorder.start(fixture, 0);
        await before.act(({ kv, block }) => {
          kv.submit([put('a', '1')], 1);
          block.write(0, filled(block.blockSize, 1));
          block.flush(2);
        });
        await before.event('committed');
        await before.event('flushed');
        await fixture.breakDisk(0, operation);
        await before.act(({ kv, block }) => {
          if (operation === 'commit') kv.submit([put('a', '2')], 3);
          else block.flush(4);
        });
        const { code, detail } = await before.event('storageFailed');
        await fixture.until(() => fixture.endOf(0) !== undefined);
        await fixture.wait(10_000);

        expect(code).toBe(-5);
        expect(detail).not.toBe('');
        expect(fixture.endOf(0)).toBe(detail);
        expect(before.of('committed')).toHaveLength(1);
        expect(before.of('flushed')).toHaveLength(1);
        expect(before.events.at(-1)!.kind).toBe('storageFailed');
        await fixture.mendDisk(0);
        const after = await Recorder.start(fixture, 0);
        const { kv, block } = after.world;
        expect(['1', '2']).toContain(get(kv, 'a'));
        expect(block.read(0, block.blockSize)).toEqual(filled(block.blockSize, 1));
        await after.act(() => kv.submit([put('a', '3')], 5));
        await after.event('committed');
        expect(after.of('storageFailed')).toEqual([]);
      },
    }),
  ),
  {
    name: 'a disk that fails: a large write that does is thrown, or told as a flush that fails is',
    async run(fixture) {
      const daemon = await Recorder.start(fixture, 0);
      await fixture.breakDisk(0, 'write');
      let error: unknown;
      await daemon.act(({ block }) => {
        error = errorOf(() => block.write(0, filled(64 * block.blockSize, 1)));
        if (error === undefined) block.flush(1);
      });
      if (error === undefined) await daemon.event('storageFailed');
      else expect(error).toBeInstanceOf(DeviceError);
      expect(daemon.of('flushed')).toEqual([]);
    },
  },
  {
    name: 'a disk that fails: a daemon that lets a DeviceError pass is ended, and its message told',
    async run(fixture) {
      const daemon = await Recorder.start(fixture, 0);
      daemon.onEvent = () => {
        throw new DeviceError(-5, 'osd.0 cannot go on');
      };
      await daemon.act(({ clock }) => clock.arm('x', clock.now()));
      await fixture.until(() => fixture.endOf(0) !== undefined);

      expect(fixture.endOf(0)).toBe('osd.0 cannot go on');
    },
  },
];
