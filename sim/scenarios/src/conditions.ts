/**
 * What may hold of a cluster, in words: when a fault waits for it, when a scenario expects it, and when somebody who steps
 * through a run asks to stop. One of
 *
 *     osd.2 up | down | in | out | exists     as the newest committed OSDMap has it
 *     osd.2 running | stopped | hung           the process itself; of any daemon
 *     osd.2 reported                           a monitor has just been told that it failed
 *     osd.2 marked itself down                 a monitor has just been told so by itself
 *     mon.b leads, no leader, quorum 2         monitors; `quorum 2`: a leader with exactly two in its quorum
 *     mgr serves                               the manager that the leader knows as active and available runs
 *     pg 1.7 peering, any pg degraded, all pgs active+clean, any pg of data down
 *                                              the state as the primary says it; all words joined by + must be in it
 *     health HEALTH_OK, health OSD_DOWN        status or a check, as the leader says
 *     epoch 30                                 an OSDMap of that epoch, or a later one, is committed
 *     new epoch                                one more has just been committed
 *     write acknowledged, read answered        to any client, just now; to one: client.0 read answered
 *     log "slow requests"                      a daemon has just logged a line with these words; one: osd.2 log "..."
 *     not osd.2 up                             the opposite of any of these
 */

import { formatPgId } from '@spirula/encoding';
import { osdExists, osdIn, osdUp } from '@spirula/maps';
import type { Message } from '@spirula/messages';
import type { Monitor } from '@spirula/mon';
import type { LogLine, SimProcess } from '@spirula/sim-world';
import type { WorldEvent } from '@spirula/world';
import { z } from 'zod';
import type { Answer, OsdPlace, SimCluster } from './cluster.ts';

/** What has just happened, for conditions of one moment. */
export interface Moment {
  readonly process: SimProcess;
  readonly event: WorldEvent<Message>;
  /** Requests of clients that were answered while it was handled. */
  readonly answers: readonly Answer[];
  /** Lines logged meanwhile. */
  readonly logged: readonly LogLine[];
}

export interface Condition {
  readonly text: string;
  /** Whose events can make it true; undefined: anybody's. */
  readonly concerns: readonly string[] | undefined;
  holds(cluster: SimCluster, moment: Moment | undefined): boolean;
  /** Of what happens and does not last: how often it did in this moment. */
  readonly times?: (moment: Moment) => number;
}

/** A text that says no condition. */
export class UnknownCondition extends Error {
  override readonly name = 'UnknownCondition';
}

type MonInspection = ReturnType<Monitor['inspect']>;

type Meaning = Omit<Condition, 'text'>;
type Parse = readonly [pattern: RegExp, make: (match: RegExpExecArray) => Meaning];

/** Requests of a kind that were answered, to one client where it is named. */
function answered(client: string | undefined, kind: Answer['kind']): Meaning {
  const times = ({ answers }: Moment) =>
    answers.filter((each) => each.kind === kind && (client === undefined || each.client === client)).length;
  return { concerns: ['client'], times, holds: (_, moment) => moment !== undefined && times(moment) > 0 };
}

/** Lines with these words that were logged, by one daemon where it is named. */
function logged(daemon: string | undefined, words: string): Meaning {
  const times = ({ logged: lines }: Moment) =>
    lines.filter(({ process, message }) => (daemon ?? process) === process && message.includes(words)).length;
  return { concerns: undefined, times, holds: (_, moment) => moment !== undefined && times(moment) > 0 };
}

/** A monitor has just been sent such a message. */
function told(is: (message: Message) => boolean): Meaning {
  const holds = (moment: Moment | undefined) => moment?.event.kind === 'message' && is(moment.event.message);
  return { concerns: ['mon'], times: (moment) => Number(holds(moment)), holds: (_, moment) => holds(moment) };
}

/** A map that was not there when it was last looked. */
function newEpoch(): Meaning {
  let known: number | undefined;
  return {
    concerns: ['mon'],
    holds: ({ osdMap }) => {
      const epoch = osdMap?.epoch ?? 0;
      const isNew = known !== undefined && epoch > known;
      known = Math.max(epoch, known ?? 0);
      return isNew;
    },
  };
}

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
    ([, id]) => told((message) => message.type === 'osd_failure' && !message.alive && message.target === Number(id)),
  ],
  [
    /^osd\.(\d+) marked itself down$/,
    ([, id]) => told((message) => message.type === 'osd_mark_me_down' && message.osd === Number(id)),
  ],
  [
    /^mon\.(\w+) leads$/,
    ([, name]) => ({
      concerns: ['mon'],
      holds: (cluster) => leaderOf(cluster)?.name === name,
    }),
  ],
  [
    /^mgr serves$/,
    () => ({
      concerns: undefined,
      holds: (cluster) => activeMgr(cluster)?.state === 'running',
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
    /^(any pg|all pgs|pg \d+\.[0-9a-f]+)(?: of ([\w-]+))? ([a-z_+]+)$/,
    ([, which, pool, words]) => ({
      concerns: ['osd', 'mon'],
      holds: (cluster) => pgsAre(cluster, which!, pool, words!.split('+')),
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
  [/^new epoch$/, newEpoch],
  [/^(?:(client\.\d+) )?write acknowledged$/, ([, client]) => answered(client, 'write')],
  [/^(?:(client\.\d+) )?read answered$/, ([, client]) => answered(client, 'read')],
  [/^(?:(\w+\.\w+) )?log "(.+)"$/, ([, daemon, words]) => logged(daemon, words!)],
];

/** The forms of conditions, for people. */
export const CONDITION_FORMS =
  'osd.2 down (up, in, out, exists, running, stopped, hung, reported, marked itself down), mon.b leads, no leader, quorum 2, mgr serves, pg 1.7 peering, ' +
  'any pg degraded, all pgs active+clean, any pg of data down, health HEALTH_OK, epoch 30, new epoch, write acknowledged, ' +
  'client.0 read answered, log "words", osd.2 log "words", and not before any of them';

/** @throws UnknownCondition */
export function parseCondition(text: string): Condition {
  const words = text.trim().replace(/\s+/g, ' ');
  if (words.startsWith('not ')) {
    const { concerns, holds } = parseCondition(words.slice('not '.length));
    return { text: words, concerns, holds: (cluster, moment) => !holds(cluster, moment) };
  }
  for (const [pattern, make] of PARSES) {
    const match = pattern.exec(words);
    if (match !== null) return { text: words, ...make(match) };
  }
  throw new UnknownCondition(`"${text}" is no condition; the forms are: ${CONDITION_FORMS}`);
}

/** Whether a text says a condition. */
export function isCondition(text: string): boolean {
  try {
    parseCondition(text);
    return true;
  } catch (error) {
    if (error instanceof UnknownCondition) return false;
    throw error;
  }
}

/** What the monitor that leads is and knows. */
function leaderOf(cluster: SimCluster): MonInspection | undefined {
  for (const { process, daemon } of cluster.mons) {
    const view = process.state === 'running' ? daemon!.inspect() : undefined;
    if (view?.role === 'leader') return view;
  }
  return undefined;
}

/** The manager that the leader knows as active and available, whether it is so still or not. */
export function activeMgr(cluster: SimCluster): SimProcess | undefined {
  const name = leaderOf(cluster)?.activeMgr;
  return cluster.mgrs.find((process) => process.name === `mgr.${name}`);
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

function pgsAre(cluster: SimCluster, which: string, of: string | undefined, words: readonly string[]): boolean {
  const map = cluster.osdMap;
  if (map === undefined || map.pools.size === 0) return false;
  const has = (state: string | undefined) => {
    const parts = state?.split('+') ?? ['unknown'];
    return words.every((word) => parts.includes(word));
  };
  if (which.startsWith('pg ')) return has(cluster.primaryViewOf(which.slice('pg '.length))?.state);
  const views = new Map<OsdPlace, ReadonlyMap<string, string>>();
  const stateOf = (place: OsdPlace | undefined, name: string) => {
    if (place?.process.state !== 'running') return undefined;
    const states = views.get(place) ?? new Map(place.daemon!.inspect().pgs.map(({ pgid, state }) => [pgid, state]));
    views.set(place, states);
    return states.get(name);
  };
  for (const [pool, { pgNum }] of map.pools) {
    if (of !== undefined && map.poolNames.get(pool) !== of) continue;
    for (let seed = 0; seed < pgNum; seed++) {
      const pgid = { pool, seed };
      const [primary] = cluster.actingOf(pgid);
      const holds = has(stateOf(primary, formatPgId(pgid)));
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
