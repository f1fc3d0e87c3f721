/** The whole room goes dark, in the middle of writes. */
import { SeededRandom } from '@spirula/sim-world';
import { readyScenario } from './ready-scenario.ts';
import { drawSurroundings } from './surroundings.ts';

export const powerLossEverywhere = readyScenario(
  'power-loss-everywhere',
  'every daemon loses power at once, again and again: all acknowledged writes are there when power returns',
  (seed) => {
    const random = new SeededRandom(seed, 'power');
    const at = (fromMs: number) => `${fromMs + random.below(5000)}ms`;
    return {
      question:
        'All machines lose power at the same instant. Is everything that clients were told was written still there?',
      watch: [
        'what was not flushed is gone, the last write of a disk is torn; an acknowledged write was flushed on every acting OSD',
        'monitors come first: a quorum without waiting, since all answer',
        'the map still says up of every OSD: each boots as a new process, its PGs peer, and no copy is missing',
      ],
      // Slow to flush: what is acknowledged too early is not there yet.
      cluster: { osds: 5, ...drawSurroundings(seed), disk: { flushUs: [2000, 20_000], stallOneIn: 0, stallUs: 0 } },
      workloads: [{ kind: 'objects', pace: { kind: 'closed', restUs: 200_000 }, largeOneIn: 3 }],
      duration: '130s',
      faults: [
        // At the very moment when a client is told that its write is done, and again at the first that follows.
        { fault: 'power-loss', daemons: ['mons', 'osds'], when: 'write acknowledged', times: 4, for: '2s' },
        { name: 'dark', fault: 'power-loss', daemons: 'daemons', at: at(50_000), for: '10s' },
        { name: 'again', fault: 'power-loss', daemons: ['mons', 'osds'], at: at(80_000), for: '5s' },
        { fault: 'power-loss', daemons: ['mons', 'osds'], at: at(105_000), for: '15s' },
      ],
      buggify: true,
      expect: [
        { count: 'write acknowledged', until: 'dark', atLeast: 2 },
        { never: 'write acknowledged', after: 'dark', grace: '0.1s', until: 'dark ends' },
        { what: 'quorum 3', after: 'dark ends', atMost: '3s' },
        { what: 'all pgs active+clean', after: 'dark ends', atMost: '30s' },
        { what: 'write acknowledged', after: 'dark ends', atMost: '15s' },
        { count: 'write acknowledged', after: 'again ends', grace: '15s', atLeast: 50 },
        { finally: 'all pgs active+clean' },
        { finally: 'quorum 3' },
      ],
    };
  },
);
