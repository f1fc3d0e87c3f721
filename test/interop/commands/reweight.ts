import type { Topic } from './topic.ts';

/** Weights by how placement groups lie; how full OSDs are is never the same on two clusters. */
export const reweight: Topic = {
  name: 'reweight',
  steps: [
    'osd test-reweight-by-pg',
    'osd test-reweight-by-pg -f json',
    'osd test-reweight-by-pg 101 0.2 3 data',
    'osd test-reweight-by-pg 101 0.2 3 -f json-pretty',
    'osd test-reweight-by-pg 101 0.2 3 nope',
    'osd reweight-by-pg 200',
    'osd test-reweight-by-pg 100',
    'osd test-reweight-by-utilization 100',
    'osd test-reweight-by-utilization 110 0',
    'osd test-reweight-by-utilization 110 0.1 -1',
    'osd test-reweight-by-utilization 110 0.1 0',
    'osd crush reweight osd.0 0.25',
    'settle',
    'osd test-reweight-by-pg 101 0.2 3',
    'osd test-reweight-by-pg 101 0.2 3 -f json',
    'osd reweight-by-pg 101 0.2 1',
    'osd tree',
    'placed',
    'osd reweight-by-pg 101 0.2 3 -f json',
    'osd tree',
    'osd crush reweight osd.0 1',
    'osd reweight 0 1',
    'osd reweight 1 1',
    'osd reweight 2 1',
    'settle',
  ],
};
