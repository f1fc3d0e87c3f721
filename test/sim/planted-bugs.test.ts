/**
 * Whether the simulator finds what it is there to find: each bug below must be caught by the scenario `standard` within
 * `MAX_SEEDS` seeds, and for the right reason. When one is not, faults, workload or checkers have become too weak.
 */
import { expect, test } from 'vitest';
import { bundleScenarios, type PlantedBug } from './planted-bug.ts';

const MAX_SEEDS = 200;
const TIMEOUT_MS = 600_000;

/** What a client is told of an object cannot be: a write that was acknowledged is not there, or a read is stale. */
const NOT_LINEARIZABLE = /(read|a write was answered) .* may have been/;

const BUGS: readonly PlantedBug[] = [
  {
    name: 'OSDs acknowledge a write before the flush',
    file: 'packages/osd/src/replicated-backend.ts',
    snippet: 'pg.commit(inCollection(pg.cid, changes), onCommit);',
    replacement: 'pg.commit(inCollection(pg.cid, changes)); onCommit();',
    verdict: NOT_LINEARIZABLE,
  },
  {
    name: 'a primary goes active before its up_thru is in the map',
    file: 'packages/osd/src/peering.ts',
    snippet: "if (this.#state.name !== 'WaitUpThru' || this.#needsUpThru()) return;",
    replacement: "if (this.#state.name !== 'WaitUpThru') return;",
    verdict: NOT_LINEARIZABLE,
  },
  {
    name: 'a primary serves reads without a lease, and does not wait for earlier ones to run out',
    file: 'packages/osd/src/pg.ts',
    snippet: 'return !this.isWaiting && now < this.core.lease.readableUntil(this.core.otherActing);',
    replacement: 'return true;',
    verdict: NOT_LINEARIZABLE,
  },
  {
    name: 'a leader commits what only itself has accepted',
    file: 'packages/mon/src/paxos.ts',
    snippet: 'return this.#heard.size === this.#quorum.length;',
    replacement: 'return true;',
    verdict: /has committed another value for version/,
  },
  {
    name: 'batches of an object store overtake those that wait for a flush',
    file: 'packages/objectstore/src/commit-queue.ts',
    snippet: `
    for (const { awaits } of this.#held) {
      if (awaits !== undefined && !this.#flushed.delete(awaits)) break;
      ready += 1;
    }`,
    replacement: `
    const isReady = ({ awaits }: Commit) => awaits === undefined || this.#flushed.has(awaits);
    ready = this.#held.filter(isReady).length;
    this.#held = [...this.#held.filter(isReady), ...this.#held.filter((commit) => !isReady(commit))];`,
    // What a store, a log or a client finds out of order first.
    verdict:
      /osd\.\d+: (deferred writes commit|a block is released|.*(log|head|version))|may have been|answered with -5/,
  },
];

const control = bundleScenarios();

test.each(BUGS)(
  '$name: caught',
  async (bug) => {
    const { runScenario } = await bundleScenarios(bug);
    const missed: string[] = [];

    for (let seed = 1; seed <= MAX_SEEDS; seed++) {
      const { violations, unclean } = runScenario({ scenario: 'standard', seed });
      const [verdict] = [...violations, ...unclean];
      if (verdict === undefined) continue;
      if (!bug.verdict.test(verdict)) {
        missed.push(`seed ${seed}: ${verdict}`);
        continue;
      }
      console.log(`${bug.name}: caught by seed ${seed}: ${verdict.split('\n')[0]}`);
      const clean = (await control).runScenario({ scenario: 'standard', seed });
      expect([...clean.violations, ...clean.unclean], clean.replay).toEqual([]);
      return;
    }
    expect.fail(`not caught within ${MAX_SEEDS} seeds; caught for another reason: ${missed.join('\n') || 'never'}`);
  },
  TIMEOUT_MS,
);

test('a bug whose place is gone is not taken for caught', async () => {
  const bug = { ...BUGS[0]!, snippet: 'no such code' };

  await expect(bundleScenarios(bug)).rejects.toThrow('its snippet is 0 times in');
});
