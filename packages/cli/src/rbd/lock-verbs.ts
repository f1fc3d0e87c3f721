/** Verbs of advisory locks, and who has an image open (tools/rbd/action/Lock.cc, Status.cc, Watch.cc; librbd/internal.cc). */
import { entityNameText, LockType } from '@spirula/cls';
import { type EntityAddr, EntityType, Errno, formatAddr, rawFromText, textFromRaw } from '@spirula/encoding';
import { column, formatTable } from '@spirula/formatter';
import { breakLock, type IoCtx, lockInfo, lockObject, RadosError } from '@spirula/rados';
import { headerObject, LOCK, tellOfHeader } from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import { openImage, openPool, orRefuse, refuseWith, withImage } from './context.ts';
import { describeMigration, migrationEnds } from './migration-status.ts';
import { show } from './output.ts';
import { Refusal } from './refusal.ts';
import { takeImageSpec } from './spec.ts';
import { FORMAT_OPTIONS, IMAGE_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

const EINVAL = 22;

async function lockLs(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const io = await openPool(context, spec);
  const { header } = await openImage(context, spec, io);
  const { lockers, tag, type } = await orRefuse(
    'rbd: listing locks failed',
    lockInfo(io, headerObject(header.id), LOCK),
  );
  const locks = lockers.map((locker) => ({
    id: textFromRaw(locker.cookie),
    locker: entityNameText(locker),
    address: addressText(locker.addr),
  }));
  show(context, locks, () => {
    if (locks.length === 0) return '';
    const isOne = locks.length === 1;
    const isExclusive = type !== LockType.shared;
    const kind = `${isExclusive ? 'exclusive' : 'shared'} lock${isOne ? '' : 's'}`;
    const heading = `There ${isOne ? 'is' : 'are'} ${locks.length} ${kind} on this image.\n`;
    const columns = ['Locker', 'ID', 'Address'].map((name) => column(name, 'left'));
    const table = formatTable(
      columns,
      locks.map(({ id, locker, address }) => [locker, id, address]),
    );
    return `${heading}${isExclusive ? '' : `Lock tag: ${textFromRaw(tag)}\n`}${table}`;
  });
}

/** As older protocols write it. */
function addressText(addr: EntityAddr): string {
  return formatAddr(addr).replace(/^(?:v1|v2|any):/, '');
}

async function lockAdd(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const cookie = rawFromText(takeLockId(context));
  const tag = context.options.get('shared') ?? '';
  const io = await openPool(context, spec);
  await withImage(context, io, spec.image, async ({ header }) => {
    try {
      const kind = tag === '' ? 'exclusive' : 'shared';
      await lockObject(io, headerObject(header.id), LOCK, kind, { cookie, tag: rawFromText(tag) });
    } catch (error) {
      refuseWith(error, (code) =>
        code === Errno.EBUSY || code === Errno.EEXIST
          ? `rbd: lock is already held by someone else${tag === '' ? '' : ' with a different tag'}`
          : `rbd: taking lock failed: ${describeErrno(code)}`,
      );
    }
    await tellOfHeader(io, header.id);
  });
}

function takeLockId({ args }: VerbContext): string {
  const id = args.take();
  if (id === '') throw new Refusal('rbd: lock id was not specified', EINVAL);
  return id;
}

/** Whoever had it is kept from the cluster: it may not know that it lost it. */
async function lockRemove(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const cookie = rawFromText(takeLockId(context));
  const client = context.args.take();
  if (client === '') throw new Refusal('rbd: locker was not specified', EINVAL);
  const io = await openPool(context, spec);
  await withImage(context, io, spec.image, ({ header }) =>
    orRefuse('rbd: releasing lock failed', takeAway(context, io, header.id, { client, cookie })),
  );
}

async function takeAway(
  { rados }: VerbContext,
  io: IoCtx,
  imageId: string,
  { client, cookie }: { readonly client: string; readonly cookie: string },
): Promise<void> {
  const [, num] = /^client\.(\d+)$/.exec(client) ?? [];
  if (num === undefined) throw new RadosError(Errno.EINVAL, client);
  const oid = headerObject(imageId);
  const { lockers } = await lockInfo(io, oid, LOCK);
  const holder = lockers.find((each) => entityNameText(each) === client);
  if (!holder) throw new RadosError(Errno.ENOENT, client);
  const blocked = await rados.monCommand({
    prefix: 'osd blocklist',
    blocklistop: 'add',
    addr: addressText(holder.addr),
  });
  if (blocked.code < 0) throw new RadosError(blocked.code, client);
  await breakLock(io, oid, LOCK, { type: EntityType.client, num: BigInt(num), cookie });
  await tellOfHeader(io, imageId);
}

async function status(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const io = await openPool(context, spec);
  const image = await openImage(context, spec, io);
  const { header } = image;
  const migration = migrationEnds(context, image, spec.image);
  const listed = await orRefuse('rbd: show status failed', io.listWatchers(headerObject(header.id)));
  const watchers = listed.map(({ entity, addr, cookie }) => ({
    address: addressText(addr),
    client: BigInt(entity.replace(/^client\./, '')),
    cookie,
  }));
  show(context, { watchers, ...(migration && { migration }) }, () => {
    const lines = watchers.map(
      ({ address, client, cookie }) => `\twatcher=${address} client.${client} cookie=${cookie}\n`,
    );
    const watching = lines.length === 0 ? 'Watchers: none\n' : `Watchers:\n${lines.join('')}`;
    return watching + (migration ? describeMigration(migration) : '');
  });
}

async function watch(context: VerbContext): Promise<void> {
  const { env } = context;
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const io = await openPool(context, spec);
  const { header } = await openImage(context, spec, io);
  const watching = io.watch(headerObject(header.id), {
    onNotify: async ({ notifyId, notifierGid, payload }) => {
      const { cookie } = await watching;
      env.stdout(
        `${spec.image} received notification: notify_id=${notifyId}, cookie=${cookie}, notifier_id=${notifierGid}, ` +
          `bl.length=${payload.length}\n`,
      );
      return undefined;
    },
    onError: async ({ code }) => {
      const { cookie } = await watching;
      env.stderr(`${spec.image} received error: cookie=${cookie}, err=${describeErrno(code)}\n`);
    },
  });
  const watched = await orRefuse('rbd: watch failed\nrbd: watch failed', watching);
  env.stdout('press enter to exit...\n');
  await nextLine();
  await orRefuse('rbd: unwatch failed\nrbd: watch failed', watched.unwatch());
}

/** On standard input; its end is one, too. */
async function nextLine(): Promise<void> {
  for await (const piece of process.stdin) if (String(piece).includes('\n')) break;
}

const ON_IMAGE = { options: IMAGE_OPTIONS } as const;

export const lockVerbs: readonly VerbDefinition[] = [
  {
    names: ['status'],
    usage: [['status IMAGE', 'who has it open']],
    options: { ...IMAGE_OPTIONS, ...FORMAT_OPTIONS },
    maxArgs: 1,
    run: status,
  },
  {
    ...ON_IMAGE,
    names: ['watch'],
    usage: [['watch IMAGE', 'what those who have it open tell one another']],
    maxArgs: 1,
    run: watch,
  },
  {
    names: ['lock ls', 'lock list'],
    usage: [['lock ls IMAGE', 'who has its lock']],
    options: { ...IMAGE_OPTIONS, ...FORMAT_OPTIONS },
    maxArgs: 1,
    run: lockLs,
  },
  {
    names: ['lock add'],
    usage: [['lock add IMAGE ID [--shared TAG]', 'take it']],
    options: { ...IMAGE_OPTIONS, '--shared': ['shared', 'value'] },
    maxArgs: 2,
    run: lockAdd,
  },
  {
    ...ON_IMAGE,
    names: ['lock rm', 'lock remove'],
    usage: [['lock rm IMAGE ID CLIENT', 'take it away from somebody, who is kept from the cluster']],
    maxArgs: 3,
    run: lockRemove,
  },
];
