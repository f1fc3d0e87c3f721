/** Tickets that expire within seconds, while clients and daemons are cut off, down, or disagree about the time. */
import { checkScenario, Lab, problemsOf } from '@spirula/sim-scenarios';
import { expect, test } from 'vitest';

const SPEC = {
  name: 'tickets',
  cluster: {
    clients: 2,
    auth: 'cephx',
    wallSkewUs: 2_000_000,
    options: { auth_service_ticket_ttl: 6, auth_mon_ticket_ttl: 60, mon_tick_interval: 1 },
  },
  pools: [{ pgNum: 8 }],
  workloads: [{ kind: 'objects', objects: 10 }],
  duration: '100s',
  faults: [
    // Longer than all three generations of the OSDs' secrets.
    { fault: 'isolate', daemons: 'client.0', at: '5s', for: '30s' },
    { fault: 'crash', daemons: 'osd.1', at: '10s', for: '40s' },
    { fault: 'hang', daemons: 'osd.2', at: '55s', for: '15s' },
    { fault: 'crash', daemons: 'leader', at: '30s', for: '20s' },
    { fault: 'wall-jump', daemons: 'mon.b', by: '30s', at: '60s', for: '20s' },
  ],
};

test.each([1, 2, 3])(
  'whoever comes back is let in again, and nothing is lost (seed %i)',
  (seed) => {
    const lab = new Lab(checkScenario(SPEC), seed);

    const outcome = lab.run();

    expect(problemsOf(outcome)).toEqual([]);
    expect(outcome.stats['requests']).toBeGreaterThan(500);
  },
  120_000,
);
