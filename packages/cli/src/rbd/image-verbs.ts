/** Verbs that show images (tools/rbd/action/List.cc, Info.cc). */
import { MirrorImageState } from '@spirula/cls';
import { textFromRaw } from '@spirula/encoding';
import { column, formatBytes, formatTable } from '@spirula/formatter';
import { type IoCtx, RadosError } from '@spirula/rados';
import {
  groupOf,
  type HeaderSnapshot,
  Image,
  isUserSnapshot,
  listImages,
  lockOf,
  MirrorImageMode,
  mirrorInfo,
  type NamedImage,
  objectCount,
  snapshotLimitOf,
} from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import { openImage, openPool, orRefuse } from './context.ts';
import { formatJson, show, wantsJson } from './output.ts';
import {
  featureNames,
  flagNames,
  isProtected,
  type NamedParent,
  nameParent,
  oldestFirst,
  operationFeatureNames,
  parentText,
  timeText,
} from './phrases.ts';
import { Refusal } from './refusal.ts';
import { takeImageSpec, takePoolSpec } from './spec.ts';
import { FORMAT_OPTIONS, POOL_OPTIONS, SNAPSHOT_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

const FORMAT = 2;
/** Features bits. */
const STRIPING = 1n << 1n;
const JOURNALING = 1n << 6n;

async function ls(context: VerbContext): Promise<void> {
  const { env, options } = context;
  const spec = takePoolSpec(context);
  let images: readonly NamedImage[];
  let io: IoCtx;
  try {
    io = await openPool(context, spec);
    images = await orRefuse('rbd: listing images', listImages(io));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(`${error.message}\nrbd: listing images failed: ${describeErrno(error.status)}`, error.status);
  }
  const names = images.map(({ name }) => textFromRaw(name));
  if (options.has('long')) await listLong(context, io, images);
  else if (wantsJson(options)) env.stdout(formatJson(options, names));
  else env.stdout(names.map((name) => `${name}\n`).join(''));
}

/** An image or a snapshot of it. */
interface ListedRow {
  readonly image: string;
  readonly id: string;
  readonly size: number;
  readonly snapshot: HeaderSnapshot | undefined;
  readonly parent: NamedParent | undefined;
  readonly lock: 'exclusive' | 'shared' | undefined;
}

async function listLong({ env, options, rados }: VerbContext, io: IoCtx, images: readonly NamedImage[]): Promise<void> {
  const rows: ListedRow[] = [];
  for (const named of images) {
    try {
      rows.push(...(await rowsOf(rados, io, named)));
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      env.stderr(`rbd: error opening ${textFromRaw(named.name)}: ${describeErrno(error.code)}\n`);
    }
  }
  if (wantsJson(options)) env.stdout(formatJson(options, rows.map(dumpRow)));
  else if (rows.length > 0) env.stdout(formatTable(LIST_COLUMNS, rows.map(cellsOf)));
}

const LIST_COLUMNS = [
  column('NAME', 'left'),
  column('SIZE', 'right'),
  column('PARENT', 'left'),
  column('FMT', 'right'),
  column('PROT', 'left'),
  column('LOCK', 'left'),
];

async function rowsOf(rados: VerbContext['rados'], io: IoCtx, { name, id }: NamedImage): Promise<ListedRow[]> {
  const image = await Image.openId(rados, io, id);
  const parent = image.parent && (await nameParent(rados, image.parent));
  const lock = await lockOf(io, id);
  const common = { image: textFromRaw(name), id: textFromRaw(id) };
  const row = { ...common, size: image.size, snapshot: undefined, parent };
  const snapshots = oldestFirst(image).filter(isUserSnapshot);
  return [
    { ...row, lock: lock && (lock.isExclusive ? 'exclusive' : 'shared') },
    ...snapshots.map((snapshot) => ({
      ...common,
      snapshot,
      size: Number(snapshot.imageSize),
      parent: (snapshot.parentOverlap ?? 0) > 0 ? parent : undefined,
      lock: undefined,
    })),
  ];
}

function cellsOf({ image, size, snapshot, parent, lock }: ListedRow): string[] {
  return [
    snapshot ? `${image}@${textFromRaw(snapshot.name)}` : image,
    formatBytes(size),
    parent ? parentText(parent) : '',
    String(FORMAT),
    snapshot && isProtected(snapshot) ? 'yes' : '',
    lock === undefined ? '' : lock === 'exclusive' ? 'excl' : 'shr',
  ];
}

function dumpRow({ image, id, size, snapshot, parent, lock }: ListedRow): object {
  return {
    image,
    id,
    ...(snapshot && { snapshot: textFromRaw(snapshot.name), snapshot_id: Number(snapshot.id) }),
    size,
    ...(parent && {
      parent: {
        pool: parent.pool,
        pool_namespace: parent.namespace,
        image: parent.image,
        snapshot: parent.snapshot,
      },
    }),
    format: FORMAT,
    ...(snapshot && { protected: String(isProtected(snapshot)) }),
    ...(lock && { lock_type: lock }),
  };
}

async function info(context: VerbContext): Promise<void> {
  const { rados } = context;
  const spec = takeImageSpec(context);
  const io = await openPool(context, spec);
  const image = await openImage(context, spec, io);
  const { header, snapshot } = image;
  const { layout, features } = header;
  const group = await groupOf(rados, io, header.id);
  const groupParts = group && [rados.poolName(Number(group.pool)) ?? '', spec.namespace, textFromRaw(group.name)];
  const limit = await snapshotLimitOf(io, header.id);
  const facts = {
    name: spec.image,
    id: textFromRaw(header.id),
    size: image.size,
    objects: objectCount(layout, image.size),
    order: header.order,
    object_size: layout.objectSize,
    snapshot_count: header.snapshots.length,
    data_pool: header.dataPool === undefined ? undefined : rados.poolName(Number(header.dataPool)),
    block_name_prefix: textFromRaw(header.objectPrefix),
    format: FORMAT,
    features: featureNames(features),
    op_features: operationFeatureNames(header.operationFeatures),
    flags: flagNames(snapshot?.flags ?? header.flags),
    group: groupParts?.filter((part) => part !== '').join('/'),
    create_timestamp: timeText(header.created) || undefined,
    access_timestamp: timeText(header.accessed) || undefined,
    modify_timestamp: timeText(header.modified) || undefined,
    protected: snapshot && String(isProtected(snapshot)),
    snapshot_limit: limit === undefined ? undefined : Number(limit),
    parent: image.parent && (await nameParent(rados, image.parent)),
    stripes: (features & STRIPING) === 0n ? undefined : layout,
    journal: (features & JOURNALING) === 0n ? undefined : textFromRaw(header.id),
    mirroring: await mirroringOf(io, header),
  };
  show(context, dumpFacts(facts), () => describe(facts));
}

/** Undefined: it is not mirrored, and keeps no journal to be mirrored by. */
async function mirroringOf(io: IoCtx, header: Image['header']): Promise<Mirroring | undefined> {
  const info = await mirrorInfo(io, header);
  if (!info) return (header.features & JOURNALING) === 0n ? undefined : { mode: 'journal', state: 'disabled' };
  return {
    mode: info.mode === MirrorImageMode.snapshot ? 'snapshot' : 'journal',
    state: info.state === MirrorImageState.enabled ? 'enabled' : 'disabling',
    global_id: textFromRaw(info.globalId),
    primary: info.promotion === 'primary',
  };
}

interface Mirroring {
  readonly state: string;
  readonly mode: string;
  readonly global_id?: string;
  readonly primary?: boolean;
}

interface KnownFacts {
  readonly stripes: Image['header']['layout'] | undefined;
  readonly parent: NamedParent | undefined;
  readonly mirroring: Mirroring | undefined;
}

type Facts = KnownFacts & { readonly [name: string]: unknown };

function dumpFacts({ stripes, parent, journal, mirroring, ...facts }: Facts): object {
  return {
    ...facts,
    parent: parent && {
      pool: parent.pool,
      pool_namespace: parent.namespace,
      image: parent.image,
      id: parent.id,
      snapshot: parent.snapshot,
      trash: parent.isInTrash,
      overlap: parent.overlap,
    },
    ...(stripes && { stripe_unit: stripes.stripeUnit, stripe_count: stripes.stripeCount }),
    journal,
    mirroring,
  };
}

function describe({ stripes, parent, mirroring, ...facts }: Facts): string {
  const size = (bytes: unknown) => formatBytes(Number(bytes));
  const list = (names: unknown) => (names as readonly string[]).join(', ');
  const line = (label: string, value: unknown) => (value === undefined ? [] : [`\t${label}: ${value}`]);
  const { protected: isProtectedText } = facts;
  return [
    `rbd image '${facts['name']}':`,
    `\tsize ${size(facts['size'])} in ${facts['objects']} objects`,
    `\torder ${facts['order']} (${size(facts['object_size'])} objects)`,
    ...line('snapshot_count', facts['snapshot_count']),
    ...line('id', facts['id']),
    ...line('data_pool', facts['data_pool']),
    ...line('block_name_prefix', facts['block_name_prefix']),
    ...line('format', facts['format']),
    ...line('features', list(facts['features'])),
    ...line('op_features', list(facts['op_features'])),
    ...line('flags', list(facts['flags'])),
    ...line('group', facts['group']),
    ...line('create_timestamp', facts['create_timestamp']),
    ...line('access_timestamp', facts['access_timestamp']),
    ...line('modify_timestamp', facts['modify_timestamp']),
    ...line('protected', isProtectedText && (isProtectedText === 'true' ? 'True' : 'False')),
    ...line('snapshot_limit', facts['snapshot_limit']),
    ...(parent
      ? [
          ...line('parent', `${parentText(parent)}${parent.isInTrash ? ` (trash ${parent.id})` : ''}`),
          ...line('overlap', size(parent.overlap)),
        ]
      : []),
    ...(stripes
      ? [...line('stripe unit', size(stripes.stripeUnit)), ...line('stripe count', stripes.stripeCount)]
      : []),
    ...line('journal', facts['journal']),
    ...line('mirroring state', mirroring?.state),
    ...line('mirroring mode', mirroring?.global_id && mirroring.mode),
    ...line('mirroring global id', mirroring?.global_id),
    ...line('mirroring primary', mirroring?.primary),
    '',
  ].join('\n');
}

export const imageVerbs: readonly VerbDefinition[] = [
  {
    names: ['ls', 'list'],
    usage: [['ls [-l] [POOL[/NAMESPACE]]', 'images; -l: with sizes, snapshots, parents and locks']],
    options: { ...POOL_OPTIONS, ...FORMAT_OPTIONS, '-l': ['long', 'flag'], '--long': ['long', 'flag'] },
    maxArgs: 1,
    run: ls,
  },
  {
    names: ['info'],
    usage: [['info IMAGE[@SNAPSHOT]', 'what an image is made of']],
    options: { ...SNAPSHOT_OPTIONS, ...FORMAT_OPTIONS },
    maxArgs: 1,
    run: info,
  },
];
