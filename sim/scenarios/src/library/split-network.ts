/** Two halves of a cluster that do not hear one another: one of them serves, never both. */
import type { Scenario } from '../scenario.ts';
import { scenarioSchema } from '../spec.ts';
import { drawSurroundings } from './surroundings.ts';

export const splitNetwork: Scenario = {
  name: 'split-network',
  summary:
    'the leader, two OSDs and a client are split from the rest: they stop serving, the majority elects and goes on',
  draw: (seed) =>
    scenarioSchema.parse({
      name: 'split-network',
      question:
        'The network falls in two, monitors 1 to 2 and OSDs 2 to 4. Which side serves, from when, and until when?',
      watch: [
        'the side of one monitor: no write at all, since no PG has all its members there; reads until the leases end',
        'the side of two: 12 to 15 s to a new leader; silent OSDs are marked down once it leads and the grace is over',
        'in between nobody writes to PGs with a member on either side',
        'together again: the former leader follows or leads in one quorum, the OSDs boot, and recover what they missed',
      ],
      cluster: { osds: 6, ...drawSurroundings(seed) },
      duration: '110s',
      faults: [
        {
          name: 'split',
          fault: 'partition',
          groups: [['mon.a', 'osd.0', 'osd.1', 'client.1'], 'rest'],
          at: '20s',
          for: '70s',
        },
      ],
      expect: [
        { never: 'client.1 write acknowledged', after: 'split', grace: '0.2s', until: 'split ends' },
        { never: 'client.1 read answered', after: 'split', grace: '16.1s', until: 'split ends' },
        { what: 'mon.b leads', after: 'split', atLeast: '12s', atMost: '15.5s' },
        { what: 'osd.0 down', after: 'split', atLeast: '20s', atMost: '32s' },
        { what: 'osd.1 down', after: 'split', atLeast: '20s', atMost: '32s' },
        { never: 'not osd.2 up' },
        { count: 'client.0 write acknowledged', after: 'split', grace: '40s', until: 'split ends', atLeast: 20 },
        { what: 'quorum 3', after: 'split ends', atMost: '8s' },
        { what: 'osd.0 up', after: 'split ends', atMost: '8s' },
        { finally: 'all pgs active+clean' },
        { finally: 'not health MON_DOWN' },
      ],
    }),
};
