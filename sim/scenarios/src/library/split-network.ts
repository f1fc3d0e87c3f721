/** Two halves of a cluster that do not hear one another: one of them serves, never both. */
import { readyScenario } from './ready-scenario.ts';
import { drawSurroundings } from './surroundings.ts';

export const splitNetwork = readyScenario(
  'split-network',
  'the leader, one host of three and a client are split from the rest: they stop serving, the majority elects and goes on',
  (seed) => ({
    question:
      'The network falls in two, monitors 1 to 2 and hosts 1 to 2. Which side serves, from when, and until when?',
    watch: [
      'the side of one monitor: nothing is written, since every PG has two members elsewhere; reads until the leases end',
      'the side of two: 12 to 15 s to a new leader; silent OSDs are marked down once it leads and the grace is over',
      'who talked to the monitor of the other side misses it only after mon_client_ping_timeout (30 s)',
      'until then nobody writes; then the majority does, as soon as its clients have found a monitor of its side',
      'only the back network: the monitors hear both sides, and believe the reporters of two hosts, not those of one',
      'together again: the former leader follows or leads in one quorum, the OSDs boot, and recover what they missed',
    ],
    cluster: { osds: 6, osdsPerHost: 2, ...drawSurroundings(seed) },
    duration: '200s',
    faults: [
      {
        name: 'split',
        fault: 'partition',
        groups: [['mon.a', 'host0', 'client.1'], 'rest'],
        at: '20s',
        for: '90s',
      },
      { name: 'back-split', fault: 'partition', groups: ['host0', 'rest'], network: 'back', at: '130s', for: '60s' },
    ],
    expect: [
      // One that changes nothing, as to cut off what is not there, is answered as reads are.
      { never: 'client.1 write acknowledged', after: 'split', grace: '16.1s', until: 'split ends' },
      { never: 'client.1 read answered', after: 'split', grace: '16.1s', until: 'split ends' },
      { what: 'mon.b leads', after: 'split', atLeast: '12s', atMost: '15.5s' },
      { what: 'osd.0 down', after: 'split', atLeast: '20s', atMost: '50s' },
      { what: 'osd.1 down', after: 'split', atLeast: '20s', atMost: '50s' },
      { never: 'not osd.2 up' },
      { count: 'client.0 write acknowledged', after: 'split', grace: '60s', until: 'split ends', atLeast: 20 },
      { what: 'quorum 3', after: 'split ends', atMost: '8s' },
      { what: 'osd.0 up', after: 'split ends', atMost: '8s' },
      { what: 'osd.0 down', after: 'back-split', atLeast: '20s', atMost: '31s' },
      { never: 'osd.0 up', after: 'back-split', grace: '33s', until: 'back-split ends' },
      { never: 'not osd.0 running' },
      {
        count: 'client.1 write acknowledged',
        after: 'back-split',
        grace: '35s',
        until: 'back-split ends',
        atLeast: 20,
      },
      { never: 'no leader', after: 'back-split' },
      { what: 'osd.0 up', after: 'back-split ends', atMost: '8s' },
      { finally: 'all pgs active+clean' },
      { finally: 'not health MON_DOWN' },
    ],
  }),
);
