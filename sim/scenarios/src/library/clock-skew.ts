/** Wall clocks that are apart are complained of, and decide nothing. */
import { SeededRandom } from '@spirula/sim-world';
import { readyScenario } from './ready-scenario.ts';
import { drawSurroundings } from './surroundings.ts';

export const clockSkew = readyScenario(
  'clock-skew',
  "a monitor's wall clock jumps, then those of OSDs: the cluster warns of the monitor, and nothing else changes",
  (seed) => {
    const random = new SeededRandom(seed, 'skew');
    // A fifth of it must be beyond mon_clock_drift_allowed: see below.
    const by = `${random.pick(['', '-'])}${random.pick(['400ms', '2s', '30s'])}`;
    return {
      question: 'What happens when the clocks of monitors and OSDs disagree by seconds, or by hours?',
      watch: [
        'MON_CLOCK_SKEW: the leader asks every mon_timecheck_interval (300 s); beyond mon_clock_drift_allowed (0.05 s) it warns',
        'what a round reads counts for a fifth, what was known for the rest: small skews are told late, and fade slowly',
        'no lease, timeout or write depends on wall time: nobody is marked down, no leader falls, no request waits',
        'OSDs may be hours off: only stamps look odd',
      ],
      cluster: { osds: 3, ...drawSurroundings(seed) },
      workloads: [{ kind: 'objects', objects: 4, pace: { kind: 'closed', workers: 1, restUs: 2_000_000 } }],
      duration: '330s',
      faults: [
        { name: 'jump', fault: 'wall-jump', daemons: 'mon.b', by, at: '20s' },
        { fault: 'wall-jump', daemons: ['osd.0', 'mgr.x'], by: '-2h', at: '60s', for: '100s' },
        { fault: 'wall-jump', daemons: 'osd.1', by: '40s', at: '100s', for: '100s' },
      ],
      expect: [
        { never: 'health MON_CLOCK_SKEW', until: 'jump' },
        { what: 'health MON_CLOCK_SKEW', after: 'jump', atLeast: '200s', atMost: '300s' },
        { never: 'no leader' },
        { never: 'any pg peering' },
        { never: 'not osd.0 up' },
        { slowest: 'request', until: 'heal', atMost: '1s' },
        { finally: 'all pgs active+clean' },
      ],
    };
  },
);
