import type { MonTimecheck } from '@spirula/messages';
import { type Instant, makeConfig, SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { describeSkew, inSeconds, TimeCheck } from './time-check.ts';

const EPOCH = 4;
const LATENCY: Instant = 2000;
const config = makeConfig();

/** A leader and two peons in virtual time, whose wall clocks are off. */
function quorum(skewsUs: readonly number[], unreachable: readonly number[] = []) {
  let now: Instant = SECOND;
  let queue: { at: Instant; run: () => void }[] = [];
  const timers = new Map<number, Instant>();
  const said: MonTimecheck[] = [];
  const skews = [...skewsUs];
  const lost = new Set(unreachable);
  const monitors: TimeCheck[] = skewsUs.map(
    (_, rank) =>
      new TimeCheck({
        rank,
        config,
        clock: {
          now: () => now,
          wall: () => {
            const us = 1_000_000 * SECOND + now + skews[rank]!;
            return { sec: Math.floor(us / SECOND), nsec: (us % SECOND) * 1000 };
          },
          arm: (_, at) => timers.set(rank, at),
          disarm: () => timers.delete(rank),
        },
        send: (to, message) => {
          said.push(message);
          if (lost.has(to)) return;
          queue.push({ at: now + LATENCY, run: () => monitors[to]!.onMessage(rank, 0, message) });
        },
      }),
  );
  const run = (duration: Instant) => {
    const end = now + duration;
    for (;;) {
      const due = [...timers].map(([rank, at]) => ({
        at,
        run: () => {
          timers.delete(rank);
          monitors[rank]!.onTimer('timecheck');
        },
      }));
      const next = [...queue, ...due].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      queue = queue.filter((each) => each !== next);
      now = next.at;
      next.run();
    }
    now = end;
  };
  for (const [rank, monitor] of monitors.entries()) {
    if (rank === 0) monitor.lead(EPOCH, [...monitors.keys()]);
    else monitor.follow(EPOCH);
  }
  return { leader: monitors[0]!, monitors, skews, lost, said, run };
}

test('the leader reads how far each clock is apart, less than messages may have taken', () => {
  const { leader, run } = quorum([0, 200_000, -3 * SECOND]);

  run(SECOND);

  expect(leader.view.round).toBe(2);
  const { readings } = leader.view;
  expect(readings.get(0)).toEqual({ skewUs: 0, latencyUs: 0 });
  expect(readings.get(1)).toEqual({ skewUs: 200_000 - 3 * LATENCY, latencyUs: 2 * LATENCY });
  expect(readings.get(2)).toEqual({ skewUs: -3 * SECOND + LATENCY, latencyUs: 2 * LATENCY });
});

test('clocks no further apart than messages take are not told apart', () => {
  const { leader, run } = quorum([0, 3000, -2000]);

  run(SECOND);

  expect([...leader.view.readings.values()].map(({ skewUs }) => Math.abs(skewUs))).toEqual([0, 0, 0]);
});

test('clocks that agree are asked every 300 s; after a skew sooner, later each time', () => {
  const even = quorum([0, 0, 0]);
  even.run(299 * SECOND);
  expect(even.leader.view.round).toBe(2);
  even.run(2 * SECOND);
  expect(even.leader.view.round).toBe(4);

  const apart = quorum([0, SECOND, 0]);
  const rounds = [29, 2, 58, 2, 88, 2].map((duration) => {
    apart.run(duration * SECOND);
    return apart.leader.view.round;
  });
  expect(rounds).toEqual([2, 4, 4, 6, 6, 8]);
});

test('what is read counts for a fifth, what was known for the rest', () => {
  const { leader, skews, run } = quorum([0, 0, 0]);
  run(SECOND);
  skews[1] = SECOND + 3 * LATENCY;

  run(300 * SECOND);

  expect(leader.view.readings.get(1)!.skewUs).toBe(SECOND / 5);
});

test('a question that was lost is asked again when the connection is back', () => {
  const { leader, lost, run } = quorum([0, 0, 0], [2]);
  run(SECOND);
  expect(leader.view.round).toBe(1);

  lost.clear();
  leader.onPeerBack(2);
  run(SECOND);
  expect(leader.view.round).toBe(2);
});

test('a round that nobody ends is given up after three intervals', () => {
  const { leader, run } = quorum([0, 0, 0], [2]);

  run(899 * SECOND);
  expect(leader.view.round).toBe(1);
  run(2 * SECOND);
  expect(leader.view.round).toBe(3);
});

test('questions of another epoch, or of who does not lead, are not answered', () => {
  const { monitors, said, run } = quorum([0, 0, 0]);
  run(SECOND);
  const before = said.length;
  const ping = { type: 'mon_timecheck', op: 'ping', epoch: EPOCH, round: 9, stampUs: 0 } as const;

  monitors[1]!.onMessage(2, 0, ping);
  monitors[1]!.onMessage(0, 0, { ...ping, epoch: EPOCH - 2 });
  expect(said.length).toBe(before);
  monitors[1]!.onMessage(0, 0, ping);
  expect(said.length).toBe(before + 1);
});

test('a skew is said as C++ prints it', () => {
  expect(describeSkew({ skewUs: -199_702, latencyUs: 0 }, config)).toBe('clock skew 0.199702s > max 0.05s');
  expect([0, 7, 55, 100, 1_234_567, 7_200_000_000].map(inSeconds)).toEqual([
    '0',
    '7e-06',
    '5.5e-05',
    '0.0001',
    '1.23457',
    '7200',
  ]);
});
