/** A session of radosgw-admin 16.2.15, recorded against a cluster of its own: ours answers the same, in a simulated one. */
import { readFileSync } from 'node:fs';
import type { Message } from '@spirula/messages';
import { Rados } from '@spirula/rados';
import { AdminError, runAdminCommand, Store } from '@spirula/rgw';
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import { makeConfig, SECOND, type World } from '@spirula/world';
import { expect, test } from 'vitest';

interface Recorded {
  readonly argv: readonly string[];
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
const session: readonly Recorded[] = JSON.parse(
  readFileSync(new URL('./radosgw-admin-16.2.15.json', import.meta.url), 'utf8'),
);

/** `--name value`, `--name=value`, flags; the rest are the words of the command. */
function parse(argv: readonly string[]) {
  const words: string[] = [];
  const options = new Map<string, string>();
  for (let i = 0; i < argv.length; i++) {
    const [, name, attached] = /^--([^=]+)(?:=(.*))?$/s.exec(argv[i]!) ?? [];
    if (name === undefined) words.push(argv[i]!);
    else if (attached !== undefined) options.set(name, attached);
    else if (name === 'system') options.set(name, 'true');
    else options.set(name, argv[++i]!);
  }
  return { words, options };
}

test('ours says what radosgw-admin says, and exits as it does', async () => {
  const spec = checkScenario({
    name: 'gateway',
    cluster: { osds: 3, mgrs: 0, clients: 1 },
    pools: [{ name: 'data', pgNum: 8 }],
    workloads: [{ kind: 'objects', objects: 1, pace: { kind: 'closed', workers: 0 } }],
  });
  const lab = new Lab(spec, 1);
  expect(lab.boot()).toBeUndefined();
  const settle = async <T>(promise: Promise<T>): Promise<T> => {
    let isSettled = false;
    const done = () => {
      isSettled = true;
    };
    promise.then(done, done);
    const { simulation } = lab;
    const deadline = simulation.now + 120 * SECOND;
    while (!isSettled && simulation.now < deadline) await simulation.runWithPromises(simulation.now + SECOND / 10);
    expect(isSettled, 'it is answered').toBe(true);
    return promise;
  };
  const rados = lab.cluster.addTools('admin', (world, monAddrs, auth) => {
    return new Rados(world, { monAddrs, auth, fsid: lab.cluster.fsid });
  });
  await settle(rados.connect());
  let drawn = 0;
  const crypto = { randomBytes: (count: number) => Uint8Array.from({ length: count }, () => drawn++ & 255) };
  const clock = { now: () => 0, wall: () => ({ sec: 1_700_000_000, nsec: 0 }) };
  const world = { clock, crypto, config: makeConfig(), log: console } as unknown as World<Message>;
  const store = await settle(Store.open(rados, world, () => Promise.reject(new Error('nobody should wait'))));

  for (const recorded of session) {
    const { words, options } = parse(recorded.argv);
    let answer: Omit<Recorded, 'argv'>;
    try {
      const said = new TextDecoder().decode(await settle(runAdminCommand({ store, world }, words, options)));
      answer = { code: 0, stdout: said, stderr: '' };
    } catch (error) {
      if (!(error instanceof AdminError)) throw error;
      answer = { code: error.code & 0xff, stdout: '', stderr: `${error.message}\n` };
    }
    expect({ argv: recorded.argv, ...answer }).toEqual(recorded);
  }
});
