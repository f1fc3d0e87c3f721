/** An OSD that comes and goes costs more than one that is gone; Ceph gives it more time, and in the end gives it up. */
import { readyScenario } from './ready-scenario.ts';
import { drawSurroundings } from './surroundings.ts';

const FLAPS = [20, 95, 170, 245, 320, 395];

export const flapping = readyScenario(
  'flapping',
  'an OSD hangs for 45 s again and again: peering each time, more grace each time, until it gives up',
  (seed) => ({
    question: 'What does an OSD cost that hangs and comes back, over and over, and when does Ceph stop it?',
    watch: [
      'each time it is marked down and boots again, all its PGs peer twice: requests to them wait',
      'laggy_probability and laggy_interval of osd dump grow: it takes longer each time until it is marked down',
      'marked down more than osd_max_markdown_count (5) times in osd_max_markdown_period (600 s), it stops for good',
    ],
    cluster: { osds: 4, ...drawSurroundings(seed), restarts: false },
    workloads: [{ kind: 'objects', objects: 4, pace: { kind: 'closed', workers: 1, restUs: 2_000_000 } }],
    duration: '470s',
    faults: FLAPS.map((at, i) => ({
      name: `flap-${i + 1}`,
      fault: 'hang' as const,
      daemons: 'osd.1',
      at: `${at}s`,
      for: '45s',
    })),
    expect: [
      { what: 'osd.1 down', after: 'flap-1', atLeast: '20s', atMost: '30s' },
      { what: 'osd.1 up', after: 'flap-1 ends', atMost: '4s' },
      { what: 'osd.1 down', after: 'flap-6', atLeast: '24s', atMost: '40s' },
      { count: 'osd.1 log "wrongly marked me down"', atLeast: 6, atMost: 6 },
      { count: 'any pg peering', after: 'flap-1', until: 'osd.1 stopped', atLeast: 11 },
      { count: 'new epoch', after: 'flap-1', until: 'osd.1 stopped', atLeast: 11 },
      { never: 'osd.1 stopped', until: 'flap-6 ends' },
      { what: 'osd.1 stopped', after: 'flap-6 ends', atMost: '2s' },
      { never: 'osd.1 running', after: 'osd.1 stopped', until: 'heal' },
      { finally: 'all pgs active+clean' },
    ],
  }),
);
