import { expect } from 'vitest';
import { type ContractCase, Recorder } from './contract-fixture.ts';

const MS = 1000;

export const CLOCK_CONTRACT: readonly ContractCase[] = [
  {
    name: 'clock: now never goes back, and counts whole microseconds',
    async run(fixture) {
      const { world } = await Recorder.start(fixture, 0);
      const first = world.clock.now();
      await fixture.wait(2 * MS);
      const second = world.clock.now();

      expect(Number.isSafeInteger(first) && Number.isSafeInteger(second)).toBe(true);
      expect(second - first).toBeGreaterThanOrEqual(2 * MS);
      const { sec, nsec } = world.clock.wall();
      expect(Number.isInteger(sec) && nsec >= 0 && nsec < 1e9).toBe(true);
    },
  },
  {
    name: 'clock: a timer fires once, not before its time',
    async run(fixture) {
      const daemon = await Recorder.start(fixture, 0);
      const firedAt: number[] = [];
      daemon.onEvent = () => firedAt.push(daemon.world.clock.now());
      let due = 0;
      await daemon.act(({ clock }) => {
        due = clock.now() + 5 * MS;
        clock.arm('tick', due);
      });
      await daemon.event('timer');
      await fixture.wait(10 * MS);

      expect(daemon.events).toEqual([{ kind: 'timer', name: 'tick' }]);
      expect(firedAt[0]).toBeGreaterThanOrEqual(due);
    },
  },
  {
    name: 'clock: arming again moves a timer, either way; disarming ends it',
    async run(fixture) {
      const daemon = await Recorder.start(fixture, 0);
      await daemon.act(({ clock }) => {
        const now = clock.now();
        clock.arm('later', now + 2 * MS);
        clock.arm('later', now + 20 * MS);
        clock.arm('sooner', now + 3_600_000 * MS);
        clock.arm('sooner', now + 10 * MS);
        clock.arm('never', now + 5 * MS);
        clock.disarm('never');
        clock.disarm('unknown');
      });
      await daemon.event('timer', 2);
      await fixture.wait(10 * MS);

      expect(daemon.of('timer').map(({ name }) => name)).toEqual(['sooner', 'later']);
    },
  },
  {
    name: 'clock: a timer that is due, but moved or disarmed by an earlier event, does not fire',
    async run(fixture) {
      const daemon = await Recorder.start(fixture, 0);
      const { clock } = daemon.world;
      const others = new Map([
        ['a', 'b'],
        ['b', 'a'],
      ]);
      daemon.onEvent = (event) => {
        // Whichever comes first disarms the other.
        if (event.kind === 'timer') clock.disarm(others.get(event.name) ?? '');
      };
      await daemon.act(() => {
        const due = clock.now();
        clock.arm('a', due);
        clock.arm('b', due);
        clock.arm('end', due + 10 * MS);
      });
      await fixture.until(() => daemon.of('timer').some(({ name }) => name === 'end'));

      expect(daemon.of('timer')).toHaveLength(2);
    },
  },
  {
    name: 'clock: a timer armed in the past fires, and one may be armed anew from its own event',
    async run(fixture) {
      const daemon = await Recorder.start(fixture, 0);
      const { clock } = daemon.world;
      daemon.onEvent = () => {
        if (daemon.events.length < 3) clock.arm('again', clock.now());
      };
      await daemon.act(() => clock.arm('again', 0));

      await daemon.event('timer', 3);
    },
  },
  {
    name: 'random: numbers are within their bounds and differ',
    async run(fixture) {
      const { random } = (await Recorder.start(fixture, 0)).world;
      const drawn = new Set<number>();
      for (let i = 0; i < 300; i++) {
        const word = random.u32();
        drawn.add(word);
        const fraction = random.float();
        expect(Number.isInteger(word) && word >= 0 && word < 2 ** 32).toBe(true);
        expect(fraction >= 0 && fraction < 1).toBe(true);
      }
      const below = new Set(Array.from({ length: 300 }, () => random.below(3)));

      expect(drawn.size).toBeGreaterThan(290);
      expect([...below].sort()).toEqual([0, 1, 2]);
      expect(random.below(1)).toBe(0);
    },
  },
  {
    name: 'lifecycle: after stop nothing more is delivered',
    async run(fixture) {
      const daemon = await Recorder.start(fixture, 0);
      daemon.onEvent = () => daemon.world.lifecycle.stop('done');
      await daemon.act(({ clock, kv }) => {
        clock.arm('a', 0);
        clock.arm('b', 0);
        kv.submit([], 1);
      });
      await fixture.until(() => daemon.events.length > 0);
      await fixture.wait(10 * MS);

      expect(daemon.events).toHaveLength(1);
    },
  },
];
