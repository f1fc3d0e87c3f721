import { auth } from './auth.ts';
import { basics } from './basics.ts';
import { poolApplications } from './pool-applications.ts';
import type { Topic } from './topic.ts';

/** In the order they run. */
export const topics: readonly Topic[] = [basics, auth, poolApplications];
