/** What operators do, rightly or wrongly, and what clients insist on. */
import type { Apply } from './scene.ts';
import { UnknownTarget } from './targets.ts';

/** Nobody waits for the answer; it is noted in the log of the client that sends it. */
export const applyCommand: Apply<'command'> = ({ cluster }, { command, undo }) => {
  cluster.sendCommand(command);
  return undo && (() => cluster.insist(undo));
};

export const applyFocus: Apply<'focus'> = ({ cluster }, { client, object, how }) => {
  const place = cluster.clients.find(({ process }) => process.name === client);
  if (place === undefined) throw new UnknownTarget(`no client is called ${client}`);
  if (!cluster.work.names.includes(object)) throw new UnknownTarget(`no workload uses an object ${object}`);
  place.process.call(() => place.daemon!.focusOn(object, how));
  return () => place.process.call(() => place.daemon!.endFocus());
};
