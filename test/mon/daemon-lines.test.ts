/** Lines that daemons write to the cluster log while monitors die: each stands there once. */
import type { EntityName } from '@spirula/encoding';
import { SeededRandom } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { MonCluster, type TalkerPlace } from './mon-cluster.ts';

const only = process.env['SEED'];
const count = Number(process.env['SEEDS'] ?? 12);
const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)];
const SPEAKERS: readonly EntityName[] = [
  { type: 'osd', id: '0' },
  { type: 'osd', id: '1' },
  { type: 'mgr', id: 'x' },
];
const ROUNDS = 25;
/** So few are shown that a line comes again when it is long out of sight; and few go in one message. */
const options = { mon_log_max_summary: 2, mon_client_max_log_entries_per_message: 3, mon_max_log_epochs: 100_000 };

function breakSomething(
  { mons, simulation }: MonCluster,
  speakers: readonly TalkerPlace[],
  random: SeededRandom,
): void {
  const { process } = mons[random.below(mons.length)]!;
  switch (random.below(5)) {
    case 0:
    case 1:
      if (process.state === 'running') process.powerLoss();
      simulation.after(random.below(8) * SECOND, () => {
        if (process.state === 'stopped') process.start();
      });
      break;
    case 2:
      process.hang();
      simulation.after(random.below(15) * SECOND, () => process.resume());
      break;
    case 3:
      for (const speaker of speakers) for (const session of speaker.process.sessions) session.breakOff();
      break;
    default:
      for (const session of process.sessions) if (random.oneIn(2)) session.breakOff();
  }
}

/** What was said and what stands in the log, each `osd.0 line 7`. */
function live(seed: number): { readonly said: string[]; readonly kept: string[] } {
  const random = new SeededRandom(seed, 'lines');
  const cluster = new MonCluster({ seed, options, buggify: true }).start();
  const { simulation, mons } = cluster;
  const speakers = SPEAKERS.map((entity) => cluster.addTalker(entity));
  for (const { process } of speakers) process.start();
  const said: string[] = [];
  const speak = ({ process, daemon }: TalkerPlace, { type, id }: EntityName) =>
    process.call(() => {
      for (let i = random.below(8); i >= 0; i--) {
        const text = `line ${said.length}`;
        said.push(`${type}.${id} ${text}`);
        daemon.log.say('debug', text, random.oneIn(3) ? 'audit' : 'cluster');
      }
    });
  for (let round = 0; round < ROUNDS; round++) {
    breakSomething(cluster, speakers, random);
    for (const [i, entity] of SPEAKERS.entries()) {
      simulation.after(random.below(3 * SECOND), () => speak(speakers[i]!, entity));
    }
    cluster.run(random.below(5));
  }

  for (const { process } of mons) {
    process.resume();
    if (process.state === 'stopped') process.start();
  }
  cluster.until('all are in quorum', () => cluster.quorum.length === mons.length, 120);
  cluster.run(40);
  const reader = cluster.addTalker({ type: 'client', id: 'reader' });
  reader.process.start();
  reader.process.call(() => reader.daemon.mon.subscribe('log-debug', 1));
  cluster.run(10);
  const entries = reader.daemon.heard.flatMap((message) => (message.type === 'log' ? message.entries : []));
  const kept = entries
    .filter(({ name }) => name.type !== 'mon' && name.type !== 'client')
    .map(({ name, text }) => `${name.type}.${name.id} ${text}`);
  return { said, kept };
}

test.each(seeds)('no line is lost, and none stands there twice (seed %i)', (seed) => {
  const { said, kept } = live(seed);

  expect(said.length).toBeGreaterThan(100);
  expect([...kept].sort()).toEqual([...said].sort());
});
