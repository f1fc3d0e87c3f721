/** Who is in quorum, how many OSDs there are: what several commands show of the cluster. */
import { MON_FEATURES } from '@spirula/maps';
import type { CommandContext } from './command.ts';
import { ALL_FEATURES } from './feature-map.ts';

export function quorumNames({ quorum, monmap }: CommandContext): string[] {
  return quorum.ranks.map((rank) => monmap.ranks[rank]!);
}

export function quorumJson(context: CommandContext) {
  const { quorum, monmap } = context;
  return {
    election_epoch: quorum.epoch,
    quorum: quorum.ranks,
    quorum_names: quorumNames(context),
    quorum_leader_name: monmap.ranks[quorum.leader] ?? '',
    quorum_age: quorum.ageSeconds,
    features: quorumFeatures(),
  };
}

export function quorumFeatures() {
  return { quorum_con: String(ALL_FEATURES), quorum_mon: MON_FEATURES };
}
