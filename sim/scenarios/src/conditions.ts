/**
 * What may hold of a cluster, in words: when a fault waits for it, when a scenario expects it, and when somebody who steps
 * through a run asks to stop. One of
 *
 *     osd.2 up | down | in | out | exists     as the newest committed OSDMap has it
 *     osd.2 running | stopped | hung           the process itself; of any daemon
 *     osd.2 reported                           a monitor has just been told that it failed
 *     mon.b leads, no leader, quorum 2         monitors; `quorum 2`: a leader with exactly two in its quorum
 *     pg 1.7 peering, any pg degraded, all pgs active+clean
 *                                              the state as the primary says it; all words joined by + must be in it
 *     health HEALTH_OK, health OSD_DOWN        status or a check, as the leader says
 *     epoch 30                                 an OSDMap of that epoch, or a later one, is committed
 *     write acknowledged, read answered        to any client, just now
 *     log "slow requests"                      a daemon has just logged a line with these words
 */

import { formatPgId } from '@spirula/encoding';
import { osdExists, osdIn, osdUp } from '@spirula/maps';
import type { Message } from '@spirula/messages';
import type { Monitor } from '@spirula/mon';
import type { SimProcess } from '@spirula/sim-world';
import type { WorldEvent } from '@spirula/world';
import { z } from 'zod';
import type { SimCluster } from './cluster.ts';

/** What has just happened, for conditions of one moment. */
export interface Moment {
  readonly process: SimProcess;
  readonly event: WorldEvent<Message>;
  readonly writesAcknowledged: number;
  readonly readsAnswered: number;
  /** Lines logged while the event was handled. */
  readonly logged: readonly string[];
}

export interface Condition {
  readonly text: string;
  /** Whose events can make it true; undefined: anybody's. */
  readonly concerns: readonly string[] | undefined;
  holds(cluster: SimCluster, moment: Moment | undefined): boolean;
}

/** A text that says no condition. */
class UnknownCondition extends Error {
  override readonly name = 'UnknownCondition';
}

type MonInspection = ReturnType<Monitor['inspect']>;

type Parse = readonly [pattern: RegExp, make: (match: RegExpExecArray) => Omit<Condition, 'text'>];

const PARSES: readonly Parse[] = [
  [
    /^osd\.(\d+) (up|down|in|out|exists)$/,
    ([, id, what]) => ({ concerns: ['mon'], holds: (cluster) => osdIs(cluster, Number(id), what!) }),
  ],
  [
    /^(\w+\.\w+) (running|stopped|hung)$/,
    ([, name, state]) => ({
      concerns: undefined,
      holds: ({ simulation }) => simulation.processes.some((each) => each.name === name && each.state === state),
    }),
  ],
  [
    /^osd\.(\d+) reported$/,
    ([, id]) => ({
      concerns: ['mon'],
      holds: (_, moment) =>
        moment?.event.kind === 'message' &&
        moment.event.message.type === 'osd_failure' &&
        moment.event.message.target === Number(id),
    }),
  ],
  [
    /^mon\.(\w+) leads$/,
    ([, name]) => ({
      concerns: ['mon'],
      holds: (cluster) => leaderOf(cluster)?.name === name,
    }),
  ],
  [/^no leader$/, () => ({ concerns: undefined, holds: (cluster) => leaderOf(cluster) === undefined })],
  [
    /^quorum (\d+)$/,
    ([, count]) => ({
      concerns: ['mon'],
      holds: (cluster) => leaderOf(cluster)?.quorum.length === Number(count),
    }),
  ],
  [
    /^(any pg|all pgs|pg \d+\.[0-9a-f]+) ([a-z_+]+)$/,
    ([, which, words]) => ({
      concerns: ['osd', 'mon'],
      holds: (cluster) => pgsAre(cluster, which!, words!.split('+')),
    }),
  ],
  [
    /^health (\w+)$/,
    ([, code]) => ({
      concerns: ['mon'],
      holds: (cluster) => {
        const report = leaderOf(cluster)?.health();
        return report !== undefined && (report.status === code || report.checks.has(code!));
      },
    }),
  ],
  [
    /^epoch (\d+)$/,
    ([, epoch]) => ({ concerns: ['mon'], holds: (cluster) => (cluster.osdMap?.epoch ?? 0) >= Number(epoch) }),
  ],
  [
    /^write acknowledged$/,
    () => ({ concerns: ['client'], holds: (_, moment) => (moment?.writesAcknowledged ?? 0) > 0 }),
  ],
  [/^read answered$/, () => ({ concerns: ['client'], holds: (_, moment) => (moment?.readsAnswered ?? 0) > 0 })],
  [
    /^log "(.+)"$/,
    ([, words]) => ({
      concerns: undefined,
      holds: (_, moment) => moment?.logged.some((line) => line.includes(words!)) === true,
    }),
  ],
];

const FORMS =
  'osd.2 down (up, in, out, exists, running, stopped, hung, reported), mon.b leads, no leader, quorum 2, pg 1.7 peering, ' +
  'any pg degraded, all pgs active+clean, health HEALTH_OK, epoch 30, write acknowledged, read answered, log "words"';

/** @throws UnknownCondition */
export function parseCondition(text: string): Condition {
  const words = text.trim().replace(/\s+/g, ' ');
  for (const [pattern, make] of PARSES) {
    const match = pattern.exec(words);
    if (match !== null) return { text: words, ...make(match) };
  }
  throw new UnknownCondition(`"${text}" is no condition; the forms are: ${FORMS}`);
}

/** What the monitor that leads is and knows. */
function leaderOf(cluster: SimCluster): MonInspection | undefined {
  for (const { process, daemon } of cluster.mons) {
    const view = process.state === 'running' ? daemon!.inspect() : undefined;
    if (view?.role === 'leader') return view;
  }
  return undefined;
}

function osdIs(cluster: SimCluster, id: number, what: string): boolean {
  const map = cluster.osdMap;
  if (map === undefined) return false;
  switch (what) {
    case 'up':
      return osdUp(map, id);
    case 'down':
      return osdExists(map, id) && !osdUp(map, id);
    case 'in':
      return osdIn(map, id);
    case 'out':
      return osdExists(map, id) && !osdIn(map, id);
    default:
      return osdExists(map, id);
  }
}

function pgsAre(cluster: SimCluster, which: string, words: readonly string[]): boolean {
  const map = cluster.osdMap;
  if (map === undefined || map.pools.size === 0) return false;
  const has = (state: string | undefined) => {
    const parts = state?.split('+') ?? ['unknown'];
    return words.every((word) => parts.includes(word));
  };
  if (which.startsWith('pg ')) return has(cluster.primaryViewOf(which.slice('pg '.length))?.state);
  for (const [pool, { pgNum }] of map.pools) {
    for (let seed = 0; seed < pgNum; seed++) {
      const holds = has(cluster.primaryViewOf(formatPgId({ pool, seed }))?.state);
      if (holds !== (which === 'all pgs')) return holds;
    }
  }
  return which === 'all pgs';
}

/** Schema of a condition's text. */
export const conditionSchema = z.string().superRefine((text, context) => {
  try {
    parseCondition(text);
  } catch (error) {
    if (!(error instanceof UnknownCondition)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});
