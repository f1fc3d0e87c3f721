import type { SimCluster } from '../cluster.ts';

/** Monitors that do not form one quorum of all in the map, with one leader and one history; those that are not as operators want it. */
export function findMonDisagreement(cluster: SimCluster): string[] {
  const problems: string[] = [];
  const members = cluster.monMembers;
  const stopped = members.filter(({ process }) => process.state === 'stopped');
  problems.push(...stopped.map(({ process }) => `${process.name} does not run`));
  const views = members.filter((place) => !stopped.includes(place)).map(({ daemon }) => daemon!.inspect());
  const leaders = views.filter(({ role }) => role === 'leader');
  if (leaders.length !== 1) problems.push(`${leaders.length} monitors lead`);
  for (const { name, role, quorum, lastCommitted } of views) {
    if (role !== 'leader' && role !== 'peon') problems.push(`mon.${name} is ${role}`);
    if (quorum.length !== members.length) problems.push(`mon.${name} sees a quorum of ${quorum.length}`);
    const [first] = views;
    if (lastCommitted !== first!.lastCommitted) {
      problems.push(`mon.${name} is at version ${lastCommitted}, mon.${first!.name} at ${first!.lastCommitted}`);
    }
  }
  return [...problems, ...cluster.monOperator.findUnrest()];
}
