/**
 * A client with limited capabilities under cephx, while daemons crash and connections break: what it may not do never
 * succeeds, what it may do does; and new capabilities hold from the next tickets on.
 */
import { parseCryptoKey } from '@spirula/auth';
import { Errno, fromUtf8, type RawString, utf8 } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, Rados, RadosError } from '@spirula/rados';
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import { SeededRandom } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';

const NAMESPACES: readonly RawString[] = ['', 'mine', 'theirs'];
const NAMES: readonly RawString[] = ['own.a', 'own.b', 'other'];
const BEFORE = 'allow rw namespace=mine object_prefix own, allow r namespace=""';
const AFTER = 'allow r namespace=mine, allow rw namespace=theirs';

interface Action {
  readonly nspace: RawString;
  readonly name: RawString;
  readonly kind: 'read' | 'write' | 'remove';
}

/** What the capabilities above say, in words of this test. */
function isAllowed({ nspace, name, kind }: Action, caps: typeof BEFORE | typeof AFTER): boolean {
  const reads = kind === 'read';
  if (caps === BEFORE) return nspace === 'mine' ? name.startsWith('own') : nspace === '' && reads;
  return nspace === 'theirs' || (nspace === 'mine' && reads);
}

class Restricted {
  readonly lab: Lab;
  readonly admin: Rados;
  readonly #random: SeededRandom;
  #clients = 0;

  constructor(seed: number) {
    const spec = checkScenario({
      name: 'restricted',
      cluster: {
        ...{ mons: 3, osds: 4, mgrs: 0, clients: 1, auth: 'cephx' },
        options: { mon_osd_min_down_reporters: 1, osd_heartbeat_grace: 6, auth_service_ticket_ttl: 10 },
      },
      pools: [{ name: 'data', pgNum: 8 }],
      workloads: [{ kind: 'objects', objects: 1, pace: { kind: 'closed', workers: 0 } }],
    });
    this.lab = new Lab(spec, seed);
    this.#random = new SeededRandom(seed, 'restricted client');
    expect(this.lab.boot()).toBeUndefined();
    this.admin = this.lab.cluster.addTools(
      'tools',
      (world, monAddrs, auth) => new Rados(world, { monAddrs, auth, fsid: this.lab.cluster.fsid }),
    );
  }

  /** Lets time pass until a promise is settled. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const done = () => {
      isSettled = true;
    };
    promise.then(done, done);
    const { simulation } = this.lab;
    const deadline = simulation.now + 300 * SECOND;
    while (!isSettled && simulation.now < deadline) await simulation.runWithPromises(simulation.now + SECOND / 20);
    expect(isSettled, 'it is answered').toBe(true);
    return promise;
  }

  async command(rados: Rados, command: Record<string, unknown>): Promise<{ code: number; text: string }> {
    const { code, data } = await this.settle(rados.monCommand(command));
    return { code, text: fromUtf8(data) };
  }

  /** A client of its own, with new tickets. */
  async connect(): Promise<{ rados: Rados; io: IoCtx }> {
    const { text } = await this.command(this.admin, { prefix: 'auth get-key', entity: 'client.limited' });
    const auth = { entity: { type: 'client', id: 'limited' } as const, key: parseCryptoKey(text) };
    const rados = this.lab.cluster.addTools(
      `limited${this.#clients++}`,
      (world, monAddrs) => new Rados(world, { monAddrs, auth, fsid: this.lab.cluster.fsid }),
    );
    await this.settle(rados.connect());
    return { rados, io: await this.settle(rados.ioctx(this.lab.cluster.pool)) };
  }

  async perform(io: IoCtx, { nspace, name, kind }: Action): Promise<number> {
    const operation = new ObjectOperation();
    if (kind === 'read') operation.read(0, 10);
    else if (kind === 'write') operation.writeFull(utf8(`${nspace}/${name}`));
    else operation.remove();
    try {
      await this.settle(io.with({ nspace, timeoutUs: 60 * SECOND }).operate(name, operation));
      return 0;
    } catch (error) {
      if (error instanceof RadosError) return error.code;
      throw error;
    }
  }

  /** So many requests one after another, daemons dying and connections breaking meanwhile; what each came to. */
  async work(io: IoCtx, count: number): Promise<readonly (readonly [action: Action, code: number])[]> {
    const random = this.#random;
    const done: (readonly [Action, number])[] = [];
    for (let i = 0; i < count; i++) {
      if (i % 6 === 0) this.#strike();
      const kind = random.pick(['read', 'write', 'write', 'remove'] as const);
      const action: Action = { nspace: random.pick(NAMESPACES), name: random.pick(NAMES), kind };
      done.push([action, await this.perform(io, action)]);
    }
    return done;
  }

  #strike(): void {
    const { injector } = this.lab;
    const osd = `osd.${this.#random.below(4)}`;
    const fault = this.#random.pick([
      { fault: 'crash', daemons: [osd] },
      { fault: 'crash', daemons: ['leader'] },
      { fault: 'reset', daemons: [osd] },
      { fault: 'reset', count: 5 },
    ] as const);
    injector.inject(fault, { forUs: (2 + this.#random.below(8)) * SECOND });
  }

  /** Names of all objects that there are, with their namespaces. */
  async objects(): Promise<ReadonlySet<string>> {
    await this.settle(this.admin.connect());
    const io = await this.settle(this.admin.ioctx(this.lab.cluster.pool));
    const found = new Set<string>();
    for (const nspace of NAMESPACES) {
      for (const name of NAMES) {
        if ((await this.perform(io, { nspace, name, kind: 'read' })) === 0) found.add(`${nspace}/${name}`);
      }
    }
    return found;
  }
}

/** EPERM is said of what may not be done, and of nothing else; nothing else is said of it. */
function expectRefusals(done: readonly (readonly [Action, number])[], caps: typeof BEFORE | typeof AFTER): void {
  for (const [action, code] of done) {
    const expected = isAllowed(action, caps) ? [0, Errno.ENOENT] : [Errno.EPERM];
    expect(expected, JSON.stringify({ caps, action, code })).toContain(code);
  }
}

test.each([1, 2])(
  'what caps do not allow never happens, whatever breaks, and new caps hold for new tickets (seed %i)',
  async (seed) => {
    const cluster = new Restricted(seed);
    const { admin } = cluster;
    await cluster.settle(admin.connect());
    const caps = (osd: string) => ({ entity: 'client.limited', caps: ['mon', 'allow r', 'osd', osd] });
    await cluster.command(admin, { prefix: 'auth get-or-create', ...caps(BEFORE) });
    const first = await cluster.connect();

    expectRefusals(await cluster.work(first.io, 40), BEFORE);
    expect((await cluster.command(first.rados, { prefix: 'status' })).code).toBe(0);
    for (const prefix of ['osd set', 'auth ls', 'config set']) {
      expect((await cluster.command(first.rados, { prefix, key: 'noout' })).code).toBe(Errno.EACCES);
    }
    for (const object of await cluster.objects()) expect(object).toMatch(/^mine\/own/);

    expect((await cluster.command(admin, { prefix: 'auth caps', ...caps(AFTER) })).code).toBe(0);
    // Sessions that stand have the caps they came with: old or new, but never more than both.
    for (const [action, code] of await cluster.work(first.io, 20)) {
      if (code === 0) expect(isAllowed(action, BEFORE) || isAllowed(action, AFTER), JSON.stringify(action)).toBe(true);
    }
    const second = await cluster.connect();
    expectRefusals(await cluster.work(second.io, 40), AFTER);
    for (const object of await cluster.objects()) expect(object).toMatch(/^(mine\/own|theirs\/)/);

    expect((await cluster.command(admin, { prefix: 'auth rm', entity: 'client.limited' })).code).toBe(0);
    expect(cluster.lab.cluster.simulation.violations).toEqual([]);
  },
  60_000,
);
