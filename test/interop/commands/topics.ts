import { absentParts } from './absent-parts.ts';
import { auth } from './auth.ts';
import { basics } from './basics.ts';
import { config } from './config.ts';
import { crush } from './crush.ts';
import { daemons } from './daemons.ts';
import { health } from './health.ts';
import { log } from './log.ts';
import { osdMap } from './osd-map.ts';
import { poolApplications } from './pool-applications.ts';
import { pools } from './pools.ts';
import { reweight } from './reweight.ts';
import type { Topic } from './topic.ts';

/** In the order they run. */
export const topics: readonly Topic[] = [
  basics,
  config,
  auth,
  poolApplications,
  pools,
  crush,
  osdMap,
  absentParts,
  daemons,
  reweight,
  health,
  log,
];
