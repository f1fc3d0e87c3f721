/** Who runs a simulated cluster: gives commands at the first client, and puts new OSDs in the place of lost ones. */
import { formatUuid } from '@spirula/encoding';
import type { CommandResult } from '@spirula/mon-client';
import type { SimProcess } from '@spirula/sim-world';
import { type Instant, SECOND } from '@spirula/world';
import type { SimCluster } from './cluster.ts';
import { noteReply } from './note-reply.ts';

type Command = Readonly<Record<string, unknown>>;

/** What is not done is asked for again after so long. */
const RETRY: Instant = 3 * SECOND;

/** Sends a command to the monitors; `then` learns what they say. Without it the answer is noted in the log. */
export function sendCommand(cluster: SimCluster, command: Command, then?: (reply: CommandResult) => void): void {
  cluster.command(command, then ?? ((reply) => noteReply(cluster, command, reply)));
}

/** Gives a command again and again until it is done. */
export function insist(cluster: SimCluster, command: Command, then: () => void = () => {}): void {
  const { simulation } = cluster;
  let done = false;
  const attempt = () => {
    if (done) return;
    sendCommand(cluster, command, ({ code }) => {
      if (done || code !== 0) return;
      done = true;
      // Not in the client's turn.
      simulation.after(0, then);
    });
    simulation.after(RETRY, attempt);
  };
  attempt();
}

/**
 * The OSD's disk is gone for good. Once it is down it is purged from the cluster, and one with an empty disk takes its place
 * under the same number.
 */
export function replaceOsd(cluster: SimCluster, process: SimProcess): void {
  const place = cluster.osds.find((each) => each.process === process);
  if (place === undefined || place.isDiskless) return;
  cluster.loseDisk(process);
  place.generation += 1;
  const { id } = place;
  const uuid = formatUuid(cluster.uuidOf(id));
  insist(cluster, { prefix: 'osd purge-actual', id, yes_i_really_mean_it: true }, () => {
    insist(cluster, { prefix: 'osd new', uuid, id }, () => {
      place.isDiskless = false;
      if (process.state === 'stopped') process.start();
    });
  });
}
