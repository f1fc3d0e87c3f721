/** A primary that nobody but a client can reach may serve reads only as long as nobody else serves writes. */
import { readyScenario } from './ready-scenario.ts';
import { drawSurroundings } from './surroundings.ts';

/** The only PG of the pool. */
const PG = '1.0';

export const cutOffPrimary = readyScenario(
  'cut-off-primary',
  'a primary and a client are cut off from all others: reads go on until the lease ends, then the others write',
  (seed) => ({
    question: 'Can a client that is cut off together with a primary read what others have already overwritten?',
    watch: [
      'the old primary reads under the leases its replicas acknowledged: osd_heartbeat_grace * 0.8 = 16 s at the most',
      'the new primary is active+wait until those leases have run out, and serves nobody meanwhile',
      'a primary that was killed is dead in the map: nobody waits for its leases',
    ],
    cluster: { osds: 4, ...drawSurroundings(seed) },
    pools: [{ pgNum: 1 }],
    workloads: [{ kind: 'objects', objects: 1, pace: { kind: 'closed', workers: 1 }, onlyReadsOneIn: 1 }],
    duration: '100s',
    faults: [
      { fault: 'focus', client: 'client.1', object: 'object-0', how: 'reading', at: '5s' },
      { fault: 'focus', client: 'client.0', object: 'object-0', how: 'writing', at: '5s', for: '10s' },
      // A read waits for writes of its object that are under way: none is when the primary is cut off.
      { fault: 'focus', client: 'client.0', object: 'object-0', how: 'writing', at: '20.5s' },
      {
        name: 'cut',
        fault: 'partition',
        groups: [['primary of object-0', 'client.1'], 'rest'],
        at: '20s',
        for: '35s',
      },
      { name: 'down', fault: 'command', command: { prefix: 'osd down', ids: ['{primary of object-0}'] }, at: '22s' },
      { name: 'kill', fault: 'crash', daemons: 'primary of object-0', at: '80s', for: '15s' },
    ],
    expect: [
      { count: 'client.1 read answered', after: 'cut', until: 'cut ends', atLeast: 10 },
      { last: 'client.1 read answered', after: 'cut', until: 'cut ends', atLeast: '7s', atMost: '16.1s' },
      { what: `pg ${PG} wait`, after: 'down', atMost: '4s' },
      { what: 'client.0 write acknowledged', after: 'down', atLeast: '5s', atMost: '17s' },
      { count: 'client.0 read answered', after: 'down', grace: '18s', until: 'cut ends', atLeast: 20 },
      { never: `pg ${PG} wait`, after: 'kill', until: 'kill ends' },
      { slowest: 'request', after: 'kill', until: 'kill ends', atMost: '4s' },
      { finally: 'all pgs active+clean' },
    ],
  }),
);
