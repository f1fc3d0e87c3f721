import { expect, test } from 'vitest';
import { Network } from './network.ts';
import { QUICK_NETWORK } from './paths.ts';
import { SeededRandom } from './random.ts';
import { Scheduler } from './scheduler.ts';

test('every machine has an address of its own, of four bytes, however many there are', () => {
  const network = new Network(new Scheduler(), new SeededRandom(1, 'network'), QUICK_NETWORK);
  const ips = Array.from({ length: 1000 }, (_, i) => network.addMachine(`machine${i}`, { public: 'dial' }));

  expect(new Set(ips).size).toBe(1000);
  for (const ip of ips) expect(ip.split('.').every((byte) => Number(byte) <= 255)).toBe(true);
});
