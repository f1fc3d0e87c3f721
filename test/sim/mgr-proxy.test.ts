/** Commands of the manager that clients send to monitors, under cephx, while managers and monitors die. */
import { fromUtf8 } from '@spirula/encoding';
import type { CommandResult } from '@spirula/mon-client';
import { checkScenario, Lab, problemsOf, sendCommand } from '@spirula/sim-scenarios';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';

const SPEC = {
  name: 'mgr-proxy',
  cluster: { mons: 3, mgrs: 2, clients: 1, auth: 'cephx', options: { mon_mgr_beacon_grace: 6 } },
  pools: [{ name: 'data', pgNum: 8 }],
  workloads: [{ kind: 'objects', objects: 5 }],
  duration: '60s',
  faults: [
    { fault: 'crash', daemons: 'active mgr', at: '5s', for: '20s' },
    { fault: 'crash', daemons: 'leader', at: '20s', for: '20s' },
    { fault: 'crash', daemons: 'active mgr', at: '40s', for: '15s' },
  ],
};

test.each([1, 2, 3])(
  "each command is answered by a manager, the next one's if need be (seed %i)",
  (seed) => {
    const lab = new Lab(checkScenario(SPEC), seed);
    const answers: CommandResult[] = [];
    let asked = 0;
    const ask = () => {
      sendCommand(lab.cluster, { prefix: 'pg ls', format: 'json' }, (reply) => void answers.push(reply));
      asked += 1;
      if (asked < 50) lab.simulation.after(SECOND, ask);
    };
    lab.simulation.after(20 * SECOND, ask);

    expect(problemsOf(lab.run())).toEqual([]);
    expect(asked).toBe(50);
    expect(answers).toHaveLength(50);
    for (const { code, data } of answers) {
      expect(code).toBe(0);
      expect(fromUtf8(data)).toMatch(/pg_stats/);
    }
  },
  60_000,
);
