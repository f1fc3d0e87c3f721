/** How long the monitors are without a leader, and who notices. */
import { readyScenario } from './ready-scenario.ts';
import { drawSurroundings } from './surroundings.ts';

export const leaderLoss = readyScenario(
  'leader-loss',
  'the leader of three monitors is killed: a new one in 12 to 15 s, 5 s later when the election fails once',
  (seed) => ({
    question: 'The leading monitor dies. When is there a new one, and do clients notice?',
    watch: [
      'the lease: a peon that hears nothing for mon_lease * 2 = 10 s calls an election; the last lease is up to 3 s old',
      'one of three does not answer, so the election lasts until mon_election_timeout (5 s)',
      'clients and OSDs go on with the maps they have; only what must be committed waits',
      'an election without a majority at its end is repeated: another 5 s',
    ],
    cluster: { osds: 3, ...drawSurroundings(seed) },
    duration: '130s',
    faults: [
      { name: 'kill', fault: 'crash', daemons: 'leader', at: '20s', for: '25s' },
      { name: 'kill-again', fault: 'crash', daemons: 'leader', at: '80s', for: '35s' },
      { name: 'cut', fault: 'partition', groups: ['mon.b', 'mon.c'], at: '80s', for: '15.5s' },
    ],
    expect: [
      { what: 'mon.b leads', after: 'kill', atLeast: '12s', atMost: '15.5s' },
      { what: 'health MON_DOWN', after: 'mon.b leads', atMost: '3s' },
      { never: 'new epoch', after: 'kill', grace: '0.1s', until: 'mon.b leads' },
      { slowest: 'request', after: 'kill', until: 'kill ends', atMost: '2s' },
      { count: 'write acknowledged', after: 'kill', until: 'mon.b leads', atLeast: 20 },
      { what: 'quorum 3', after: 'kill ends', atMost: '5s' },
      { what: 'mon.b leads', after: 'kill-again', atLeast: '17s', atMost: '20.5s' },
      { finally: 'quorum 3' },
      { finally: 'not health MON_DOWN' },
    ],
  }),
);
