/** The bookkeeping of images by our `rbd` beside Debian's. */
import { describeTopics } from './rbd-bookkeeping/describe-topics.ts';
import { groupSnapshots, groups } from './rbd-bookkeeping/groups.ts';
import { features, locks, names } from './rbd-bookkeeping/images.ts';
import { config, namespaces, pools } from './rbd-bookkeeping/pools.ts';
import { childrenTopic, snapshots } from './rbd-bookkeeping/snapshots.ts';
import { trash } from './rbd-bookkeeping/trash.ts';

const REAL_PORT_BASE = 23_000;

describeTopics('bookkeeping of images', REAL_PORT_BASE, [
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
]);
