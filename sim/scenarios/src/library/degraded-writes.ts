/** What min_size means for those who write and read. */
import { readyScenario } from './ready-scenario.ts';
import { drawSurroundings } from './surroundings.ts';

export const degradedWrites = readyScenario(
  'degraded-writes',
  'size 3, min_size 2: with one OSD dead clients go on, with two they wait, and go on when one returns',
  (seed) => ({
    question: 'A pool of size 3 and min_size 2 loses one OSD, then another: who can still write, and read?',
    watch: [
      'one dead: PGs are active+undersized (and degraded, where they hold objects), and serve',
      'two dead: PGs are undersized+peered; fewer than min_size copies, so nobody is served, and nothing is lost',
      'health: PG_DEGRADED soon; PG_AVAILABILITY only when PGs were inactive for mon_pg_stuck_threshold (60 s)',
      'one returns: what was written while it was away is recovered to it, and requests that waited are answered',
    ],
    cluster: { osds: 3, ...drawSurroundings(seed) },
    duration: '130s',
    faults: [
      { name: 'first', fault: 'crash', daemons: 'osd.0', at: '15s', for: '110s' },
      { name: 'second', fault: 'crash', daemons: 'osd.1', at: '30s', for: '80s' },
    ],
    expect: [
      { what: 'all pgs active+undersized', after: 'first', atMost: '3s' },
      { slowest: 'write', after: 'first', until: 'second', atMost: '5s' },
      { count: 'write acknowledged', after: 'first', grace: '3s', until: 'second', atLeast: 20 },
      { what: 'health PG_DEGRADED', after: 'first', atMost: '15s' },
      { what: 'all pgs undersized+peered', after: 'second', atMost: '3s' },
      { never: 'write acknowledged', after: 'second', grace: '0.2s', until: 'second ends' },
      { never: 'read answered', after: 'second', grace: '1.5s', until: 'second ends' },
      { what: 'health PG_AVAILABILITY', after: 'second', atLeast: '50s', atMost: '75s' },
      { what: 'write acknowledged', after: 'second ends', atMost: '8s' },
      { slowest: 'request', after: 'second ends', until: 'heal', atLeast: '70s', atMost: '90s' },
      { finally: 'all pgs active+clean' },
      { finally: 'not health PG_AVAILABILITY' },
    ],
  }),
);
