/** How soon the cluster notices that an OSD is gone depends on how it went. */
import { readyScenario } from './ready-scenario.ts';
import { drawSurroundings } from './surroundings.ts';

export const osdDownThreeWays = readyScenario(
  'osd-down-three-ways',
  'an OSD is killed, another hangs, a third is stopped: how soon does the map say that it is down?',
  (seed) => ({
    question: 'How soon is an OSD marked down when it is killed, when it hangs, and when it is stopped in good order?',
    watch: [
      'killed: its address refuses connections, so the first peer that tries reports it at once',
      'hung: its kernel still accepts, so peers wait out osd_heartbeat_grace (20 s), and two hosts must say so',
      'stopped: it says so itself; only the proposal (paxos_propose_interval 1 s at most) is to be waited for',
    ],
    cluster: { osds: 4, ...drawSurroundings(seed) },
    duration: '150s',
    faults: [
      { name: 'kill', fault: 'crash', daemons: 'osd.0', at: '20s', for: '20s' },
      { name: 'hang', fault: 'hang', daemons: 'osd.1', at: '60s', for: '40s' },
      { name: 'stop', fault: 'stop', daemons: 'osd.2', at: '120s', for: '20s' },
    ],
    expect: [
      { what: 'osd.0 reported', after: 'kill', atMost: '0.7s' },
      { what: 'osd.0 down', after: 'kill', atMost: '1.5s' },
      { what: 'osd.1 reported', after: 'hang', atLeast: '20s', atMost: '30s' },
      { what: 'osd.1 down', after: 'hang', atLeast: '20s', atMost: '31s' },
      { what: 'osd.2 marked itself down', after: 'stop', atMost: '0.05s' },
      { what: 'osd.2 down', after: 'stop', atMost: '1.2s' },
      { slowest: 'request', after: 'kill', until: 'osd.0 up', atMost: '5s' },
      { slowest: 'request', after: 'hang', until: 'osd.1 up', atLeast: '18s', atMost: '34s' },
      { slowest: 'request', after: 'stop', until: 'osd.2 up', atMost: '5s' },
      { finally: 'all pgs active+clean' },
      { finally: 'not health OSD_DOWN' },
    ],
  }),
);
