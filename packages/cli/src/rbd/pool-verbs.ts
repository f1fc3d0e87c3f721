/** Verbs of pools and their namespaces (tools/rbd/action/Pool.cc, Namespace.cc). */
import { Errno, rawFromText, textFromRaw } from '@spirula/encoding';
import { column, formatBytes, formatTable } from '@spirula/formatter';
import { RadosError } from '@spirula/rados';
import { createNamespace, imageTotals, initPool, listNamespaces, removeNamespace } from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import { openPool, openWholePool, orRefuse, refuseWith } from './context.ts';
import { show } from './output.ts';
import { Refusal } from './refusal.ts';
import { takePoolName, takePoolSpec } from './spec.ts';
import { FORMAT_OPTIONS, POOL_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

const EINVAL = 22;

async function init(context: VerbContext): Promise<void> {
  const { options, rados } = context;
  const pool = takePoolName(context);
  await openWholePool(context, pool);
  try {
    await initPool(rados, pool, options.has('force'));
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
    // 16.2 says so, and calls it no failure.
    throw new Refusal(
      INIT_REFUSALS.get(error.code) ?? `rbd: error registered application: ${describeErrno(error.code)}`,
      0,
    );
  }
}

const INIT_REFUSALS = new Map<number, string>([
  [Errno.EOPNOTSUPP, 'rbd: luminous or later release required.'],
  [Errno.EPERM, 'rbd: pool already registered to a different application.'],
]);

async function stats(context: VerbContext): Promise<void> {
  const io = await openPool(context, takePoolSpec(context));
  const { images, trash } = await orRefuse('rbd: failed to query pool stats', imageTotals(io));
  const dump = ({ count, provisioned, snapshots }: typeof images) => ({
    count,
    provisioned_bytes: provisioned,
    snap_count: snapshots,
  });
  const line = (label: string, amount: string | number, inTrash: string | number, isShown: boolean) =>
    `${label}: ${amount}${isShown ? ` (${inTrash} in trash)` : ''}\n`;
  const bytes = (amount: bigint) => formatBytes(Number(amount));
  show(context, { images: dump(images), trash: dump(trash) }, () =>
    [
      line('Total Images', images.count, trash.count, trash.count > 0),
      line('Total Snapshots', images.snapshots, trash.snapshots, trash.snapshots > 0),
      line('Provisioned Size', bytes(images.provisioned), bytes(trash.provisioned), trash.provisioned > 0n),
    ].join(''),
  );
}

async function namespaceCreate(context: VerbContext): Promise<void> {
  const { pool, namespace } = takeNamespace(context);
  const io = await openWholePool(context, pool);
  await orRefuse('rbd: failed to created namespace', createNamespace(io, rawFromText(namespace)));
}

async function namespaceRemove(context: VerbContext): Promise<void> {
  const { pool, namespace } = takeNamespace(context);
  const io = await openWholePool(context, pool);
  try {
    await removeNamespace(io, rawFromText(namespace));
  } catch (error) {
    refuseWith(error, (code) => {
      if (code === Errno.EBUSY) return 'rbd: namespace contains images which must be deleted first.';
      if (code === Errno.ENOENT) return 'rbd: namespace does not exist.';
      return `rbd: failed to remove namespace: ${describeErrno(code)}`;
    });
  }
}

function takeNamespace(context: VerbContext) {
  const spec = takePoolSpec(context);
  if (spec.namespace === '') throw new Refusal('rbd: namespace name was not specified', EINVAL);
  return spec;
}

async function namespaceLs(context: VerbContext): Promise<void> {
  const io = await openWholePool(context, takePoolName(context));
  const found = await orRefuse('rbd: failed to list namespaces', listNamespaces(io));
  const names = found.map((name) => ({ name: textFromRaw(name) }));
  show(context, names, () =>
    names.length === 0
      ? ''
      : formatTable(
          [column('NAME', 'left')],
          names.map(({ name }) => [name]),
        ),
  );
}

const WHOLE_POOL_OPTIONS = { '-p': POOL_OPTIONS['-p']!, '--pool': POOL_OPTIONS['--pool']! };

export const poolVerbs: readonly VerbDefinition[] = [
  {
    names: ['pool init'],
    usage: [['pool init [POOL] [--force]', 'make it one for images']],
    options: { ...WHOLE_POOL_OPTIONS, '--force': ['force', 'flag'] },
    maxArgs: 1,
    run: init,
  },
  {
    names: ['pool stats'],
    usage: [['pool stats [POOL[/NAMESPACE]]', 'how many images and snapshots, and how large']],
    options: { ...POOL_OPTIONS, ...FORMAT_OPTIONS },
    maxArgs: 1,
    run: stats,
  },
  {
    names: ['namespace create'],
    usage: [['namespace create|rm POOL/NAMESPACE', 'one without images goes']],
    options: POOL_OPTIONS,
    maxArgs: 1,
    run: namespaceCreate,
  },
  { names: ['namespace rm', 'namespace remove'], usage: [], options: POOL_OPTIONS, maxArgs: 1, run: namespaceRemove },
  {
    names: ['namespace ls', 'namespace list'],
    usage: [['namespace ls [POOL]', '']],
    options: { ...WHOLE_POOL_OPTIONS, ...FORMAT_OPTIONS },
    maxArgs: 1,
    run: namespaceLs,
  },
];
