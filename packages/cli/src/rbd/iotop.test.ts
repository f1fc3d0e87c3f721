import { expect, test } from 'vitest';
import { body, runIotop, type Terminal } from './iotop.ts';
import { formatStat, type ImageStats, type StatName } from './perf-stats.ts';

const busy: ImageStats = {
  ...{ pool: 'p', namespace: 'n', image: 'disk' },
  stats: {
    ...{ write_ops: 1234.5, read_ops: 0, write_bytes: 5_056_512, read_bytes: 0 },
    ...{ write_latency: 1_234_567.8, read_latency: 999 },
  },
};

class FakeTerminal implements Terminal {
  columns = 100;
  rows = 6;
  written = '';
  press: (key: string) => void = () => {};

  write(text: string): void {
    this.written += text;
  }

  onKey(listener: (key: string) => void): void {
    this.press = listener;
  }
}

test('figures are as long as they need be', () => {
  expect([0, 12.9, 1234, 1_500_000].map((value) => formatStat('write_ops', value))).toEqual([
    ...['0/s', '12/s', '1.23k/s', '1.50M/s'],
  ]);
  expect([0, 1024, 5_056_512].map((value) => formatStat('read_bytes', value))).toEqual([
    ...['0 B/s', '1 KiB/s', '4.8 MiB/s'],
  ]);
  expect([0, 999, 1000, 1_234_567, 2e9].map((value) => formatStat('read_latency', value))).toEqual([
    ...['0.00 ns', '999.00 ns', '1.00 us', '1.23 ms', '2.00 s'],
  ]);
});

test('an image is a line, cut where the screen ends; of all pools it is named with its own', () => {
  const line = (isGlobal: boolean, columns: number) =>
    body({ images: [busy, busy, busy], sortBy: 'write_ops', isGlobal }, columns, 2);

  const figures = '     1.23k/s          0/s    4.8 MiB/s        0 B/s      1.23 ms    999.00 ns ';
  expect(line(true, 100)).toEqual([`${figures}p/n/disk`, `${figures}p/n/disk`]);
  expect(line(false, 80)).toEqual([`${figures}di`, `${figures}di`]);
});

test('before anything is known it asks for patience', () => {
  const lines = body({ images: [], sortBy: 'write_ops', isGlobal: true }, 60, 20);

  expect(lines.filter((line) => line.includes('Waiting for initial stats'))).toHaveLength(1);
  expect(lines.length).toBeLessThan(20);
});

test('keys say by what images are sorted, and end it', async () => {
  const terminal = new FakeTerminal();
  const asked: StatName[] = [];
  const keys = ['>', '\u001b[C', '<', '\u001bOD', '<', 'x', 'q'];
  await runIotop(
    terminal,
    false,
    async (sortBy) => {
      asked.push(sortBy);
      return [busy];
    },
    async (untilKey) => {
      terminal.press(keys.shift()!);
      await untilKey;
    },
  );

  expect(asked).toEqual(['write_ops', 'read_ops', 'write_bytes', 'read_ops', 'write_ops', 'write_ops', 'write_ops']);
  expect(keys).toEqual([]);
  expect(terminal.written).toContain('>WRITE BYTES');
  expect(terminal.written.endsWith('\u001b[?1049l')).toBe(true);
});

test('the screen is given back when the manager does not answer', async () => {
  const terminal = new FakeTerminal();
  const failing = runIotop(
    terminal,
    false,
    () => Promise.reject(new Error('gone')),
    async () => {},
  );

  await expect(failing).rejects.toThrow('gone');
  expect(terminal.written.endsWith('\u001b[?1049l')).toBe(true);
});
