/** What operators do that makes a cluster move data, or hold less of it, and how they put it right. */
import { itemWeight, locationOf } from '@spirula/crush';
import type { SeededRandom } from '@spirula/sim-world';
import type { OsdPlace, SimCluster } from '../cluster.ts';
import type { FaultOf } from './fault.ts';

type Command = FaultOf<'command'>['command'];

/** What an operator does for a while. */
export interface OperatorsDoing {
  /** Given first, and never taken back. */
  readonly before?: Command;
  readonly command: Command;
  /** Absent where the cluster puts it right by itself. */
  readonly undo?: Command;
}

/** Draws one that is about this OSD, or the pool that clients use; undefined when it cannot be made now. */
type DrawMistake = (cluster: SimCluster, osd: OsdPlace, random: SeededRandom) => OperatorsDoing | undefined;

/** A weight of 1, in fixed point. */
const ONE = 0x10000;
/** A rule that takes any OSDs, two of one host included. */
const WRONG_RULE = 'any-osd';

const out: DrawMistake = (_, { id }) => {
  const ids = [String(id)];
  return { command: { prefix: 'osd out', ids }, undo: { prefix: 'osd in', ids } };
};

/** It is not down, and says so. */
const down: DrawMistake = (_, { id }) => ({ command: { prefix: 'osd down', ids: [String(id)] } });

const reweight: DrawMistake = (_, { id }, random) => {
  const command = { prefix: 'osd reweight', id, weight: random.pick([0.2, 0.5]) };
  return { command, undo: { ...command, weight: 1 } };
};

/** Before its data are elsewhere. */
const earlyCrushRm: DrawMistake = ({ osdMap }, { id }) => {
  const crush = osdMap?.crush;
  const location = crush && locationOf(crush, id);
  if (crush === undefined || location === undefined || location.size === 0) return undefined;
  const args = [...location].map(([type, name]) => `${type}=${name}`);
  return {
    command: { prefix: 'osd crush rm', name: `osd.${id}` },
    undo: { prefix: 'osd crush create-or-move', id, weight: itemWeight(crush, id) / ONE, args },
  };
};

const minSizeOne: DrawMistake = (cluster) => {
  const set = poolSetter(cluster, 'min_size');
  const before = cluster.osdMap?.pools.get(cluster.pool)?.minSize;
  return set && before !== undefined && before > 1 ? { command: set('1'), undo: set(String(before)) } : undefined;
};

const wrongRule: DrawMistake = (cluster) => {
  const set = poolSetter(cluster, 'crush_rule');
  const { osdMap } = cluster;
  const rule = osdMap?.crush.ruleNames.get(osdMap.pools.get(cluster.pool)?.crushRule ?? -1);
  if (set === undefined || rule === undefined || rule === WRONG_RULE) return undefined;
  return {
    before: { prefix: 'osd crush rule create-replicated', name: WRONG_RULE, root: 'default', type: 'osd' },
    command: set(WRONG_RULE),
    undo: set(rule),
  };
};

export const MISTAKES: readonly DrawMistake[] = [out, down, reweight, earlyCrushRm, minSizeOne, wrongRule];

function poolSetter({ osdMap, pool: id }: SimCluster, name: string): ((value: string) => Command) | undefined {
  const pool = osdMap?.poolNames.get(id);
  return pool === undefined ? undefined : (val) => ({ prefix: 'osd pool set', pool, var: name, val });
}
