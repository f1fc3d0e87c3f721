/** Users and buckets of the object gateway, in a simulated cluster; two gateways at once, and gateways that stop half-way. */
import { Errno } from '@spirula/encoding';
import { type IoCtx, type ObjectOperation, Rados, RadosError } from '@spirula/rados';
import {
  BucketStore,
  indexHeaders,
  newRole,
  newUserInfo,
  openZone,
  RoleStore,
  sumOfStats,
  UserStore,
  type Zone,
} from '@spirula/rgw';
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import { SECOND } from '@spirula/world';
import { beforeEach, describe, expect, test } from 'vitest';

let lab: Lab;
let rados: Rados;
let zone: Zone;
let users: UserStore;
let buckets: BucketStore;

async function settle<T>(promise: Promise<T>, withinSeconds = 120): Promise<T> {
  let isSettled = false;
  const done = () => {
    isSettled = true;
  };
  promise.then(done, done);
  const { simulation } = lab;
  const deadline = simulation.now + withinSeconds * SECOND;
  while (!isSettled && simulation.now < deadline) await simulation.runWithPromises(simulation.now + SECOND / 10);
  expect(isSettled, 'it is answered').toBe(true);
  return promise;
}

async function failureOf(promise: Promise<unknown>): Promise<number | string> {
  try {
    await settle(promise);
    return 0;
  } catch (error) {
    if (error instanceof RadosError) return error.code;
    return (error as Error).name;
  }
}

let drawn = 0;
const entropy = {
  randomBytes: (count: number) =>
    Uint8Array.from({ length: count }, () => (drawn = (drawn * 69069 + 12345) >>> 0) >>> 24),
};

beforeEach(async () => {
  const spec = checkScenario({
    name: 'gateway',
    cluster: { osds: 3, mgrs: 0, clients: 1 },
    pools: [{ name: 'data', pgNum: 8 }],
    workloads: [{ kind: 'objects', objects: 1, pace: { kind: 'closed', workers: 0 } }],
  });
  lab = new Lab(spec, 1);
  expect(lab.boot()).toBeUndefined();
  rados = lab.cluster.addTools(
    'admin',
    (world, monAddrs, auth) => new Rados(world, { monAddrs, auth, fsid: lab.cluster.fsid }),
  );
  await settle(rados.connect());
  zone = await settle(openZone(rados, entropy, console));
  users = new UserStore(zone, entropy);
  buckets = new BucketStore(zone, entropy);
});

const id = (name: string) => ({ tenant: '', ns: '', id: name });
const keys = (...names: string[]) =>
  new Map(names.map((name) => [name, { id: name, secret: `secret of ${name}`, subuser: '' }] as const));
const user = (name: string, ...accessKeys: string[]) =>
  newUserInfo({ id: id(name), displayName: name, accessKeys: keys(...accessKeys) });
const ownerOf = async (key: string) => (await settle(users.find('accessKey', key)))?.info.id.id;

test('gateways that start at once are of one zone', async () => {
  const [first, second] = await settle(
    Promise.all([openZone(rados, entropy, console), openZone(rados, entropy, console)]),
  );

  expect([first.params.id, second.params.id]).toEqual([zone.params.id, zone.params.id]);
  expect(zone.indexShards).toBe(11);
  expect(rados.poolList()).toEqual(
    expect.arrayContaining(['.rgw.root', 'default.rgw.meta', 'default.rgw.buckets.index']),
  );
});

describe('a user', () => {
  test('is found by its keys, Swift names and address, until these are taken away', async () => {
    const info = { ...user('alice', 'A', 'B'), email: 'a@x.org', swiftKeys: keys('alice:swift') };
    const stored = await settle(users.create(info));

    expect((await settle(users.load(id('alice'))))?.info).toEqual(info);
    expect((await settle(users.find('swiftName', 'alice:swift')))?.info).toEqual(info);
    expect((await settle(users.find('email', 'a@x.org')))?.info).toEqual(info);

    await settle(users.update(stored, { ...info, accessKeys: keys('B', 'C'), email: '' }));
    expect([await ownerOf('A'), await ownerOf('B'), await ownerOf('C')]).toEqual([undefined, 'alice', 'alice']);
    expect(await settle(users.find('email', 'a@x.org'))).toBeUndefined();

    await settle(users.remove((await settle(users.load(id('alice'))))!));
    expect([await ownerOf('B'), await settle(users.load(id('alice')))]).toEqual([undefined, undefined]);
    for (const pool of ['userKeys', 'userEmail', 'userSwift', 'userUid'] as const) {
      const left: string[] = [];
      await settle(
        (async () => {
          for await (const { oid } of zone.system(pool).listObjects()) left.push(oid);
        })(),
      );
      expect(left, pool).toEqual([]);
    }
  });

  test('changed by two gateways at once is changed by one of them', async () => {
    const stored = await settle(users.create(user('alice')));
    const other = new UserStore(zone, entropy);
    const results = await Promise.all([
      failureOf(users.update(stored, { ...stored.info, displayName: 'one', accessKeys: keys('K1') })),
      failureOf(other.update(stored, { ...stored.info, displayName: 'two', accessKeys: keys('K2') })),
    ]);

    expect([...results].sort()).toEqual([Errno.ECANCELED, 0].sort());
    const winner = results[0] === 0 ? 'K1' : 'K2';
    expect([await ownerOf('K1'), await ownerOf('K2')].filter(Boolean)).toEqual(['alice']);
    expect(await ownerOf(winner)).toBe('alice');
  });

  test('is not given a key of another, nor left behind when that fails', async () => {
    await settle(users.create(user('alice', 'K')));

    expect(await failureOf(users.create(user('bob', 'L', 'K')))).toBe('IndexConflict');
    expect(await settle(users.load(id('bob')))).toBeUndefined();
    expect([await ownerOf('K'), await ownerOf('L')]).toEqual(['alice', undefined]);
    expect(await failureOf(users.create(user('alice', 'M')))).toBe(Errno.EEXIST);
  });

  test('takes a key that a gateway claimed for another, and did not live to give', async () => {
    const stored = await settle(users.create(user('alice')));
    await settle(
      zone.system('userKeys').writeFull('K', new Uint8Array([5, 0, 0, 0, ...new TextEncoder().encode('alice')])),
    );
    expect(await ownerOf('K')).toBeUndefined();

    await settle(users.create(user('bob', 'K')));
    expect(await ownerOf('K')).toBe('bob');
    // The gateway was but slow: what it was about to do is refused, so that the key stays bob's.
    expect(await failureOf(users.update(stored, { ...stored.info, accessKeys: keys('K') }))).toBe('IndexConflict');
    expect(await failureOf(users.update(stored, { ...stored.info, displayName: 'slow' }))).toBe(Errno.ECANCELED);
  });

  test("claimed for by many gateways at once: each key is one user's, who has it", async () => {
    const names = ['u1', 'u2', 'u3', 'u4'];
    await Promise.all(
      names.map((name) => failureOf(new UserStore(zone, entropy).create(user(name, 'K', `own ${name}`)))),
    );
    const all = await Promise.all(names.map((name) => settle(users.load(id(name)))));
    const having = all.filter((each) => each?.info.accessKeys.has('K')).map((each) => each!.info.id.id);

    expect(having).toHaveLength(1);
    expect(await ownerOf('K')).toBe(having[0]);
  });
});

describe('a bucket', () => {
  const given = (name: string, owner = 'alice') => ({
    tenant: '',
    name,
    owner: id(owner),
    placement: { name: 'default-placement', storageClass: '' },
    attrs: new Map([['user.rgw.acl', new Uint8Array([1])]]),
    now: { sec: 1_700_000_000, nsec: 5 },
  });
  const listed = async (owner = 'alice') =>
    (await settle(buckets.lists.page(id(owner), '', 100))).entries.map(({ bucket }) => bucket.name);

  test('is made with its index, listed, loaded, changed and removed', async () => {
    const made = await settle(buckets.create(given('b')));
    const loaded = (await settle(buckets.load('', 'b')))!;

    expect(made.isNew).toBe(true);
    expect(loaded.info).toEqual(made.bucket.info);
    expect([...loaded.attrs.keys()]).toEqual(['user.rgw.acl']);
    expect(await listed()).toEqual(['b']);
    const { index } = zone.placement(loaded.info.placement);
    const headers = await settle(indexHeaders(index, loaded.info));
    expect([headers.length, sumOfStats(headers).size]).toEqual([11, 0]);

    await settle(
      buckets.update(loaded, { ...loaded.info, requesterPays: true }, new Map([['user.rgw.acl', undefined]])),
    );
    expect(await failureOf(buckets.update(loaded, loaded.info))).toBe(Errno.ECANCELED);
    const changed = (await settle(buckets.load('', 'b')))!;
    expect([changed.info.requesterPays, changed.attrs.size]).toEqual([true, 0]);

    const entry = (await settle(buckets.loadEntryPoint('', 'b')))!;
    await settle(buckets.remove(changed.info, given('b').now, entry));
    expect([await settle(buckets.load('', 'b')), await listed()]).toEqual([undefined, []]);
    for (const io of [index, zone.system('domainRoot')]) {
      const left: string[] = [];
      await settle(
        (async () => {
          for await (const { oid } of io.listObjects()) left.push(oid);
        })(),
      );
      expect(left).toEqual([]);
    }
  });

  test("made by two users at once is one user's; the other leaves nothing behind", async () => {
    const other = new BucketStore(zone, entropy);
    const [mine, theirs] = await settle(Promise.all([buckets.create(given('b')), other.create(given('b', 'bob'))]));

    expect([mine.isNew, theirs.isNew].filter(Boolean)).toHaveLength(1);
    expect(mine.bucket.info).toEqual(theirs.bucket.info);
    const owner = mine.bucket.info.owner.id;
    expect(await listed(owner)).toEqual(['b']);
    expect(await listed(owner === 'alice' ? 'bob' : 'alice')).toEqual([]);
    const oids: string[] = [];
    await settle(
      (async () => {
        for await (const { oid } of zone.placement(given('b').placement).index.listObjects()) oids.push(oid);
      })(),
    );
    expect(oids).toHaveLength(11);
  });

  test("that its owner's list lacks is put there when it is made again", async () => {
    const { bucket } = await settle(buckets.create(given('b')));
    await settle(buckets.lists.remove(id('alice'), bucket.info.bucket));
    expect(await listed()).toEqual([]);

    expect((await settle(buckets.create(given('b')))).isNew).toBe(false);
    expect(await listed()).toEqual(['b']);
  });

  test('given to another user is in their list, and theirs', async () => {
    const { bucket } = await settle(buckets.create(given('b')));
    await settle(buckets.unlink(bucket.info, id('alice')));
    expect((await settle(buckets.loadEntryPoint('', 'b')))?.entryPoint.linked).toBe(false);
    await settle(buckets.link(bucket, id('bob'), new Map(), given('b').now));

    expect([await listed('alice'), await listed('bob')]).toEqual([[], ['b']]);
    expect((await settle(buckets.load('', 'b')))?.info.owner).toEqual(id('bob'));
    expect((await settle(buckets.loadEntryPoint('', 'b')))?.entryPoint).toMatchObject({
      owner: id('bob'),
      linked: true,
    });
  });

  test('is listed page by page in the order of names', async () => {
    for (const name of ['c', 'a', 'b']) await settle(buckets.create(given(name)));
    const first = await settle(buckets.lists.page(id('alice'), '', 2));
    const second = await settle(buckets.lists.page(id('alice'), first.marker, 2));

    expect(first.entries.map(({ bucket }) => bucket.name)).toEqual(['a', 'b']);
    expect([first.truncated, second.entries.map(({ bucket }) => bucket.name), second.truncated]).toEqual([
      true,
      ['c'],
      false,
    ]);
  });
});

describe('a role', () => {
  const given = (name: string, tenant = '') =>
    newRole({ tenant, name, path: '/app/', trustPolicy: '{}', maxSessionSeconds: 3600 }, entropy, {
      sec: 1_700_000_000,
      nsec: 0,
    });
  const NO_TAGS = new Map<string, string>();
  const listed = async (roles: RoleStore, tenant = '', prefix = '') => {
    const names: string[] = [];
    const list = async () => {
      for await (const { role } of roles.list(tenant, prefix)) names.push(role.name);
    };
    await settle(list());
    return names.sort();
  };

  /** Of a gateway that dies when it has changed `count` objects. */
  function dyingAfter(count: number): RoleStore {
    let left = count;
    const io = new Proxy(zone.system('roles'), {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (name !== 'operate') return typeof value === 'function' ? value.bind(target) : value;
        return (oid: string, operation: ObjectOperation) =>
          left-- > 0 ? target.operate(oid, operation) : new Promise<never>(() => {});
      },
    });
    const dying = new Proxy(zone, {
      get(target, name) {
        if (name === 'system') return (): IoCtx => io;
        return Reflect.get(target, name, target);
      },
    });
    return new RoleStore(dying);
  }

  /** As long as anything of it can still happen. */
  const abandon = (promise: Promise<unknown>) => settle(Promise.race([promise, later()]));
  const later = () => new Promise((resolve) => lab.simulation.after(10 * SECOND, () => resolve(0)));

  test('is made, loaded, listed below its path and in its tenant, changed and removed', async () => {
    const roles = new RoleStore(zone);
    for (const role of [given('a'), given('b'), given('a', 'acme')])
      await settle(roles.create(role, new Map([['k', 'v']])));

    expect([await listed(roles), await listed(roles, 'acme'), await listed(roles, '', '/no/')]).toEqual([
      ['a', 'b'],
      ['a'],
      [],
    ]);
    expect(await failureOf(roles.create(given('a'), NO_TAGS))).toBe(Errno.EEXIST);
    const found = (await settle(roles.load('', 'a')))!;
    expect(found).toMatchObject({ role: { arn: 'arn:aws:iam:::role/app/a' }, tags: new Map([['k', 'v']]) });
    await settle(roles.update(found, { ...found.role, trustPolicy: '{"changed":1}' }, NO_TAGS));
    const changed = (await settle(roles.loadById(found.role.id)))!;
    expect(changed).toMatchObject({ role: { trustPolicy: '{"changed":1}' }, tags: NO_TAGS });
    expect(await failureOf(roles.remove(found))).toBe(Errno.ECANCELED);
    await settle(roles.remove(changed));
    expect(await settle(roles.load('', 'a'))).toBeUndefined();
    expect(await settle(roles.loadById(found.role.id))).toBeUndefined();
    expect([await listed(roles), await listed(roles, 'acme')]).toEqual([['b'], ['a']]);
  });

  test('made by many gateways at once is made by one; changed by many, by one', async () => {
    const gateways = Array.from({ length: 4 }, () => new RoleStore(zone));
    const made = await Promise.all(gateways.map((roles) => failureOf(roles.create(given('a'), NO_TAGS))));
    expect(made.sort((a, b) => Number(b) - Number(a))).toEqual([0, Errno.EEXIST, Errno.EEXIST, Errno.EEXIST]);
    expect(await listed(gateways[0]!)).toEqual(['a']);

    const found = (await settle(gateways[0]!.load('', 'a')))!;
    const changes = gateways.map((roles, i) =>
      failureOf(roles.update(found, { ...found.role, policies: new Map([[`p${i}`, '{}']]) }, NO_TAGS)),
    );
    expect((await Promise.all(changes)).filter((code) => code === 0)).toHaveLength(1);
    expect((await settle(gateways[0]!.load('', 'a')))!.role.policies.size).toBe(1);
  });

  test('is there or not, whenever the gateway dies that makes it', async () => {
    const roles = new RoleStore(zone);
    const all: string[] = [];
    for (const count of [0, 1, 2, 3]) {
      const name = `made-${count}`;
      await abandon(dyingAfter(count).create(given(name), NO_TAGS));
      const isThere = (await settle(roles.load('', name))) !== undefined;

      expect(isThere, `${count} changes`).toBe(count === 3);
      expect((await listed(roles)).includes(name)).toBe(isThere);
      expect(await failureOf(roles.create(given(name), NO_TAGS))).toBe(isThere ? Errno.EEXIST : 0);
      all.push(name);
      expect(await listed(roles)).toEqual(all);
    }
  });

  test('is there or not, whenever the gateway dies that removes it', async () => {
    const roles = new RoleStore(zone);
    for (const count of [0, 1, 2, 3, 4]) {
      const name = `removed-${count}`;
      await settle(roles.create(given(name), NO_TAGS));
      const found = (await settle(roles.load('', name)))!;
      await abandon(dyingAfter(count).remove(found));
      const left = await settle(roles.load('', name));

      expect(left !== undefined, `${count} changes`).toBe(count < 2);
      expect((await settle(roles.loadById(found.role.id))) !== undefined).toBe(left !== undefined);
      expect((await listed(roles)).includes(name)).toBe(left !== undefined);
      if (left) await settle(roles.remove(left));
      expect(await failureOf(roles.create(given(name), NO_TAGS))).toBe(0);
    }
  });
});
