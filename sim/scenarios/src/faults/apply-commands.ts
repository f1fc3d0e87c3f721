/** What operators do, rightly or wrongly, and what clients insist on. */
import type { SimCluster } from '../cluster.ts';
import { noteReply } from '../note-reply.ts';
import { insist, sendCommand } from '../operator.ts';
import type { Apply } from './scene.ts';
import { findTargets, UnknownTarget } from './targets.ts';

/** An argument that says whom it is for: `{primary of 1.7}`. */
const SELECTOR = /^\{(.+)\}$/;

/** The answer is noted in the log. What undoes the command is given once that is answered, however late: not before it is done. */
export const applyCommand: Apply<'command'> = ({ cluster }, { command, undo }) => {
  const args = Object.entries(command).map(([name, value]) => [name, nameIds(cluster, value)]);
  let isAnswered = false;
  let isOver = false;
  const takeBack = () => {
    if (isAnswered && isOver && undo !== undefined) insist(cluster, undo);
  };
  sendCommand(cluster, Object.fromEntries(args), (reply) => {
    noteReply(cluster, command, reply);
    isAnswered = true;
    // Not in the client's turn.
    cluster.simulation.after(0, takeBack);
  });
  return (
    undo &&
    (() => {
      isOver = true;
      takeBack();
    })
  );
};

/** Puts the ids of daemons where an argument selects them; into a list as many as there are. */
function nameIds(cluster: SimCluster, value: unknown): unknown {
  if (Array.isArray(value)) return value.flatMap((each) => nameIds(cluster, each));
  const selector = typeof value === 'string' ? SELECTOR.exec(value)?.[1] : undefined;
  if (selector === undefined) return value;
  const ids = findTargets(cluster, selector).map(({ spec }) => spec.entity.id);
  return ids.length === 1 ? ids[0] : ids;
}

export const applyFocus: Apply<'focus'> = ({ cluster }, { client, object, how }) => {
  const place = cluster.clients.find(({ process }) => process.name === client);
  if (place === undefined) throw new UnknownTarget(`no client is called ${client}`);
  if (!cluster.work.names.includes(object)) throw new UnknownTarget(`no workload uses an object ${object}`);
  place.process.call(() => place.daemon!.focusOn(object, how));
  return () => place.process.call(() => place.daemon!.endFocus());
};
