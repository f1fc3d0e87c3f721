import { expect, test } from 'vitest';
import type { World } from './world.ts';
import { WorldScope } from './world-scope.ts';

function fakeWorld() {
  const calls: string[] = [];
  let last = 0;
  const clock = {
    arm: (timer: string, at: number) => calls.push(`arm ${timer} ${at}`),
    disarm: (timer: string) => calls.push(`disarm ${timer}`),
  };
  const net = { open: () => ++last, close: (session: number) => calls.push(`close ${session}`), highWater: 7 };
  return { calls, world: { clock, net } as unknown as World };
}

test('a part has timers of its own, whatever the daemon calls its', () => {
  const { calls, world } = fakeWorld();
  const [a, b] = [new WorldScope(world, 'a'), new WorldScope(world, 'b')];

  a.world.clock.arm('tick', 5);
  b.world.clock.disarm('tick');

  expect(calls).toEqual(['arm a: tick 5', 'disarm b: tick']);
  expect(a.route({ kind: 'timer', name: 'a: tick' })).toEqual({ kind: 'timer', name: 'tick' });
  expect(a.route({ kind: 'timer', name: 'b: tick' })).toBeUndefined();
  expect(a.route({ kind: 'timer', name: 'tick' })).toBeUndefined();
});

test('what happens on a session is told to who opened it, until it is gone', () => {
  const { calls, world } = fakeWorld();
  const [a, b] = [new WorldScope(world, 'a'), new WorldScope(world, 'b')];
  const address = { type: 'osd', addrs: [] } as const;
  const [first, second] = [a.world.net.open('public', address), b.world.net.open('public', address)];
  const reset = { kind: 'reset', session: first, reason: 'closed', detail: '' } as const;

  expect([a.owns(first), a.owns(second), b.owns(second)]).toEqual([true, false, true]);
  expect(b.route(reset)).toBeUndefined();
  expect(a.route(reset)).toBe(reset);
  expect(a.route(reset)).toBeUndefined();
  b.world.net.close(second);
  expect(b.owns(second)).toBe(false);
  expect(calls).toEqual([`close ${second}`]);
});

test("a session is its opener's from the first", () => {
  const { world } = fakeWorld();
  const owned: boolean[] = [];
  const asking = { ...world, net: { ...world.net, open: () => owned.push(scope.owns(7)) } } as World;
  const scope = new WorldScope(asking, 'a');

  scope.world.net.open('public', { type: 'osd', addrs: [] });

  expect(owned).toEqual([true]);
  expect(scope.owns(7)).toBe(false);
});

test('what is for the whole daemon is for no part', () => {
  const scope = new WorldScope(fakeWorld().world, 'a');

  expect(scope.route({ kind: 'terminate' })).toBeUndefined();
  expect(scope.route({ kind: 'committed', token: 1 })).toBeUndefined();
});
