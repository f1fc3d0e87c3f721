/** What our `rbd` and Debian's note of how pools and images are mirrored. */
import { describeTopics } from './rbd-bookkeeping/describe-topics.ts';
import { mirroredImages, mirroredPools } from './rbd-bookkeeping/mirroring.ts';

const REAL_PORT_BASE = 23_400;

describeTopics('bookkeeping of mirroring', REAL_PORT_BASE, [mirroredPools, mirroredImages]);
