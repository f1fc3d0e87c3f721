import { groupSnapshots, groups } from './groups.ts';
import { features, locks, names } from './images.ts';
import { config, namespaces, pools } from './pools.ts';
import { childrenTopic, snapshots } from './snapshots.ts';
import type { Topic } from './topic.ts';
import { trash } from './trash.ts';

export type { Topic };

export const topics: readonly Topic[] = [
  names,
  features,
  locks,
  snapshots,
  childrenTopic,
  trash,
  namespaces,
  pools,
  config,
  groups,
  groupSnapshots,
];
