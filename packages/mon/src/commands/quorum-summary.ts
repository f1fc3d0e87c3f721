/** Who is in quorum, how many OSDs there are: what several commands show of the cluster. */
import type { CommandContext } from './command.ts';

export function quorumNames({ quorum, monmap }: CommandContext): string[] {
  return quorum.ranks.map((rank) => monmap.ranks[rank]!);
}

const QUORUM_FEATURES = [
  'kraken',
  'luminous',
  'mimic',
  'osdmap-prune',
  'nautilus',
  'octopus',
  'pacific',
  'elector-pinging',
];

const CLIENT_FEATURES = '4540138314316775423';

export function quorumJson(context: CommandContext) {
  const { quorum, monmap } = context;
  return {
    election_epoch: quorum.epoch,
    quorum: quorum.ranks,
    quorum_names: quorumNames(context),
    quorum_leader_name: monmap.ranks[quorum.leader] ?? '',
    quorum_age: quorum.ageSeconds,
    features: { quorum_con: CLIENT_FEATURES, quorum_mon: QUORUM_FEATURES },
  };
}
