import { expect, test } from 'vitest';
import { Gate } from './gate.ts';

test('work goes on beside other work, and alone when it wants to', async () => {
  const gate = new Gate();
  const log: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => async () => {
    log.push(`${name} begins`);
    await new Promise<void>((resolve) => ends.push(resolve));
    log.push(`${name} ends`);
  };
  const settled = async () => {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  const all = [
    gate.beside(work('a')),
    gate.beside(work('b')),
    gate.alone(work('c')),
    gate.beside(work('d')),
    gate.alone(work('e')),
  ];
  await settled();
  expect(log).toEqual(['a begins', 'b begins']);
  while (ends.length > 0) {
    ends.shift()!();
    await settled();
  }
  await Promise.all(all);
  expect(log.slice(2)).toEqual(['a ends', 'b ends', 'c begins', 'c ends', 'd begins', 'd ends', 'e begins', 'e ends']);
  await gate.alone(async () => undefined);
  await expect(gate.alone(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await gate.beside(async () => 7)).toBe(7);
});
