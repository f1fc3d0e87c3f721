import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Elector, type ElectorEvent, stepElector } from './elector.ts';

function fresh(rank: number, size = 3, epoch = 4): Elector {
  return { rank, size, epoch, state: { name: 'idle' } };
}

function after(elector: Elector, ...events: ElectorEvent[]): Elector {
  return events.reduce((at, event) => stepElector(at, event)[0], elector);
}

test('a monitor alone leads at once', () => {
  const [elector, effects] = stepElector(fresh(0, 1), { kind: 'start' });

  expect(elector.state).toEqual({ name: 'quorum', leader: 0, quorum: [0] });
  expect(effects.at(-1)).toEqual({ kind: 'won', quorum: [0] });
});

test('the epoch is stored before anybody hears of it', () => {
  const [, effects] = stepElector(fresh(1), { kind: 'start' });

  expect(effects.map(({ kind }) => kind)).toEqual(['store', 'electing', 'send', 'send', 'timer']);
  expect(effects[0]).toEqual({ kind: 'store', epoch: 5 });
});

test('all acknowledgements win without waiting, in an even epoch', () => {
  const [elector, effects] = stepElector(after(fresh(0), { kind: 'start' }, { kind: 'ack', from: 2, epoch: 5 }), {
    kind: 'ack',
    from: 1,
    epoch: 5,
  });

  expect(elector).toMatchObject({ epoch: 6, state: { name: 'quorum', leader: 0, quorum: [0, 1, 2] } });
  expect(effects.filter((effect) => effect.kind === 'send')).toHaveLength(2);
});

test('a majority wins at the timeout; fewer begin again in a later epoch', () => {
  const two = after(fresh(0), { kind: 'start' }, { kind: 'ack', from: 1, epoch: 5 }, { kind: 'timeout' });
  const one = after(fresh(0), { kind: 'start' }, { kind: 'timeout' });

  expect(two.state).toEqual({ name: 'quorum', leader: 0, quorum: [0, 1] });
  expect(one).toMatchObject({ epoch: 7, state: { name: 'electing' } });
});

test('the lower rank is followed, also after a higher one was', () => {
  const proposals = [2, 1, 0].map((from) => ({ kind: 'propose', from, epoch: 5 }) as const);

  expect(after(fresh(3, 5), ...proposals).state).toEqual({ name: 'deferred', to: 0 });
  expect(after(fresh(3, 5), ...proposals.toReversed()).state).toEqual({ name: 'deferred', to: 0 });
});

test('the victory of one to whom nothing was promised starts a new election', () => {
  const deferred = after(fresh(2), { kind: 'propose', from: 1, epoch: 5 });
  const victory = { kind: 'victory', epoch: 6, quorum: [0, 1, 2] } as const;

  expect(after(deferred, { ...victory, from: 1 }).state.name).toBe('quorum');
  expect(after(deferred, { ...victory, from: 0 })).toMatchObject({ epoch: 7, state: { name: 'electing' } });
});

test('who says again that it has won may have lost what it answered since', () => {
  const peon = after(
    fresh(2),
    { kind: 'propose', from: 1, epoch: 5 },
    { kind: 'victory', from: 1, epoch: 6, quorum: [1, 2] },
  );
  const again = (from: number) => stepElector(peon, { kind: 'victory', from, epoch: 6, quorum: [1, 2] });

  expect(again(1)).toEqual([peon, [{ kind: 'leaderBack' }]]);
  expect(again(0)[1]).toEqual([]);
});

test('a victory without a majority, without the winner, or with monitors that there are not, is none', () => {
  const deferred = after(fresh(2), { kind: 'propose', from: 1, epoch: 5 });
  const claim = (quorum: number[]) => after(deferred, { kind: 'victory', from: 1, epoch: 6, quorum });

  for (const quorum of [[2], [0, 2], [1, 2, 2, 7], [2, 2], [1]]) expect(claim(quorum)).toBe(deferred);
  expect(claim([1, 2]).state.name).toBe('quorum');
});

test('an epoch that nobody can have reached is not taken over', () => {
  const elector = fresh(1, 5);

  expect(after(elector, { kind: 'propose', from: 0, epoch: 0xffff_ffff })).toBe(elector);
});

test('whoever is outside of the quorum and asks gets a new election', () => {
  const leader = after(fresh(0), { kind: 'start' }, { kind: 'ack', from: 1, epoch: 5 }, { kind: 'timeout' });

  expect(after(leader, { kind: 'propose', from: 2, epoch: 1 }).state.name).toBe('electing');
  expect(after(leader, { kind: 'propose', from: 1, epoch: 1 }).state.name).toBe('quorum');
});

const rank = fc.integer({ min: -1, max: 4 });
const epoch = fc.integer({ min: 3, max: 9 });
const event: fc.Arbitrary<ElectorEvent> = fc.oneof(
  fc.constant({ kind: 'start' } as const),
  fc.constant({ kind: 'timeout' } as const),
  fc.record({ kind: fc.constant('propose' as const), from: rank, epoch }),
  fc.record({ kind: fc.constant('ack' as const), from: rank, epoch }),
  fc.record({ kind: fc.constant('victory' as const), from: rank, epoch, quorum: fc.subarray([0, 1, 2]) }),
);

test('whatever comes, epochs only grow, are stored when they do, and a quorum is a majority that acknowledged', () => {
  fc.assert(
    fc.property(fc.nat(2), fc.array(event, { maxLength: 30 }), (self, events) => {
      let elector = fresh(self);
      for (const each of events) {
        const [next, effects] = stepElector(elector, each);
        const stored = effects.flatMap((effect) => (effect.kind === 'store' ? [effect.epoch] : []));
        expect(next.epoch).toBeGreaterThanOrEqual(elector.epoch);
        if (next.epoch !== elector.epoch) expect(stored.at(-1)).toBe(next.epoch);
        for (const effect of effects) if (effect.kind === 'won') expect(effect.quorum.length).toBeGreaterThan(1);
        if (next.state.name === 'quorum') expect(next.epoch % 2).toBe(0);
        elector = next;
      }
    }),
    { numRuns: 2000 },
  );
});
