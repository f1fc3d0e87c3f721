/** Every command that an OSD answers itself, asked of one that runs. */
import { Errno, fromUtf8 } from '@spirula/encoding';
import { Rados } from '@spirula/rados';
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';

interface Described {
  readonly sig: readonly (string | { readonly req?: string })[];
  readonly perm: string;
}

test('an OSD answers all commands that it lists and that need no arguments, and goes on', async () => {
  const spec = checkScenario({
    name: 'socket',
    cluster: { osds: 3, mgrs: 0, clients: 1 },
    pools: [{ name: 'data', pgNum: 8 }],
    workloads: [{ kind: 'objects', objects: 2, pace: { kind: 'closed', workers: 1, restUs: SECOND } }],
  });
  const lab = new Lab(spec, 1);
  expect(lab.boot()).toBeUndefined();
  const rados = lab.cluster.addTools(
    'admin',
    (world, monAddrs, auth) => new Rados(world, { monAddrs, auth, fsid: lab.cluster.fsid }),
  );
  const settle = async <T>(promise: Promise<T>): Promise<T | undefined> => {
    let value: T | undefined;
    promise.then((result) => {
      value = result;
    });
    const deadline = lab.simulation.now + 20 * SECOND;
    while (value === undefined && lab.simulation.now < deadline) {
      await lab.simulation.runWithPromises(lab.simulation.now + SECOND / 10);
    }
    return value;
  };
  rados.connect();
  await lab.simulation.runWithPromises(lab.simulation.now + 5 * SECOND);
  const ask = (prefix: string, format = 'json') => settle(rados.osdCommand(0, { prefix, format }));

  const described = JSON.parse(fromUtf8((await ask('get_command_descriptions'))!.data)) as Record<string, Described>;
  const plain = Object.values(described)
    .filter(({ sig }) => sig.every((part) => typeof part === 'string' || part.req === 'false'))
    .map(({ sig }) => sig.filter((part) => typeof part === 'string').join(' '));
  expect(plain).toContain('dump_recovery_reservations');
  for (const prefix of plain) {
    const answers = [await ask(prefix), await ask(prefix, 'xml')];
    for (const answer of answers) {
      const told = { prefix, code: answer?.code };
      expect([0, Errno.EINVAL, Errno.EOPNOTSUPP].map((code) => ({ prefix, code }))).toContainEqual(told);
    }
  }
  expect(lab.cluster.osds[0]!.process.state).toBe('running');
});
