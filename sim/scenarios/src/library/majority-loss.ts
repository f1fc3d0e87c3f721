/** Without a majority of monitors nothing is decided; what was decided goes on. */
import { readyScenario } from './ready-scenario.ts';
import { drawSurroundings } from './surroundings.ts';

export const majorityLoss = readyScenario(
  'majority-loss',
  'two of three monitors die, then an OSD: clients go on with their maps, nobody marks the OSD down until one returns',
  (seed) => ({
    question: 'What still works while most monitors are gone, and what happens when they return?',
    watch: [
      'reads and writes go on: clients and OSDs have maps, and need no monitor for them',
      'no map changes: an OSD that dies stays up in the map, and requests to its PGs wait',
      'the last monitor leads on until a lease was not acknowledged for 10 s; then it serves nobody',
      'the others return: a quorum, the OSD is marked down, and what waited is answered',
    ],
    cluster: { osds: 4, ...drawSurroundings(seed) },
    duration: '110s',
    faults: [
      { name: 'loss', fault: 'crash', daemons: ['mon.b', 'mon.c'], at: '20s', for: '60s' },
      { name: 'osd-loss', fault: 'crash', daemons: 'osd.0', at: '50s', for: '50s' },
    ],
    expect: [
      { what: 'no leader', after: 'loss', atLeast: '9.9s', atMost: '13.2s' },
      { never: 'new epoch', after: 'loss', grace: '0.1s', until: 'loss ends' },
      { slowest: 'request', after: 'loss', until: 'no leader', atMost: '2s' },
      { count: 'write acknowledged', after: 'loss', until: 'osd-loss', atLeast: 60 },
      { never: 'osd.0 down', after: 'osd-loss', until: 'loss ends' },
      { slowest: 'request', after: 'osd-loss', until: 'osd-loss ends', atLeast: '25s', atMost: '50s' },
      { what: 'quorum 3', after: 'loss ends', atMost: '8s' },
      { what: 'osd.0 down', after: 'loss ends', atMost: '15s' },
      { count: 'write acknowledged', after: 'osd.0 down', grace: '5s', until: 'osd-loss ends', atLeast: 10 },
      { finally: 'quorum 3' },
      { finally: 'all pgs active+clean' },
    ],
  }),
);
