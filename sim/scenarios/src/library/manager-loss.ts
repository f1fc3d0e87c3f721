/** How long the cluster is without a manager when the active one dies, and who notices. */
import { readyScenario } from './ready-scenario.ts';
import { drawSurroundings } from './surroundings.ts';

export const managerLoss = readyScenario(
  'manager-loss',
  'the active of two managers is killed: the standby takes over after mon_mgr_beacon_grace',
  (seed) => ({
    question: 'The active manager dies. When does the standby take over, and does anybody but people notice?',
    watch: [
      'the monitors hear of a manager every mgr_tick_period (2 s), and give it up after mon_mgr_beacon_grace (30 s), at their next tick (5 s)',
      'statistics and health checks of PGs are as the first manager left them until OSDs have reported to the second',
      'clients do not need it: reads and writes go on',
      'the one that returns stands by; it is active again when the second dies',
    ],
    cluster: { osds: 3, mgrs: 2, ...drawSurroundings(seed) },
    duration: '150s',
    faults: [
      { name: 'kill', fault: 'crash', daemons: 'active mgr', at: '20s', for: '50s' },
      { name: 'kill-again', fault: 'crash', daemons: 'active mgr', at: '90s', for: '55s' },
    ],
    expect: [
      { what: 'mgr serves', after: 'kill', atLeast: '27s', atMost: '39s' },
      { slowest: 'request', after: 'kill', until: 'kill ends', atMost: '2s' },
      { what: 'mgr serves', after: 'kill-again', atLeast: '27s', atMost: '39s' },
      { never: 'health MGR_DOWN', after: 'kill' },
      { finally: 'mgr serves' },
      { finally: 'all pgs active+clean' },
    ],
  }),
);
