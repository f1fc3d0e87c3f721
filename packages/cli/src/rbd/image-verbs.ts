/** Verbs that show images (tools/rbd/action/List.cc, Info.cc, Snap.cc, ImageMeta.cc). */
import { rawFromText, textFromRaw } from '@spirula/encoding';
import { column, formatBytes, formatTable } from '@spirula/formatter';
import { type IoCtx, RadosError } from '@spirula/rados';
import {
  groupOf,
  type HeaderSnapshot,
  Image,
  imageMetadata,
  isUserSnapshot,
  listImages,
  lockOf,
  type NamedImage,
  objectCount,
  snapshotLimitOf,
} from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import { formatJson, openImage, openPool, orRefuse, type VerbContext, wantsJson } from './context.ts';
import {
  featureNames,
  flagNames,
  isProtected,
  type NamedParent,
  nameParent,
  operationFeatureNames,
  parentText,
  snapshotTypeName,
  timeText,
} from './phrases.ts';
import { Refusal } from './refusal.ts';
import { parseImageSpec, parsePoolSpec } from './spec.ts';

const FORMAT = 2;
/** Features bits. */
const STRIPING = 1n << 1n;
const JOURNALING = 1n << 6n;
const EINVAL = 22;

export async function ls(context: VerbContext): Promise<void> {
  const { env, options, args } = context;
  const spec = parsePoolSpec(args[0] ?? '', options);
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

function oldestFirst({ header }: Image): readonly HeaderSnapshot[] {
  return [...header.snapshots].reverse();
}

export async function info(context: VerbContext): Promise<void> {
  const { env, options, args, rados } = context;
  const spec = parseImageSpec(args[0] ?? '', options);
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
  };
  env.stdout(wantsJson(options) ? formatJson(options, dumpFacts(facts)) : describe(facts));
}

type Facts = { readonly stripes: Image['header']['layout'] | undefined; readonly parent: NamedParent | undefined } & {
  readonly [name: string]: unknown;
};

function dumpFacts({ stripes, parent, journal, ...facts }: Facts): object {
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
  };
}

function describe({ stripes, parent, ...facts }: Facts): string {
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
    '',
  ].join('\n');
}

export async function snapLs(context: VerbContext): Promise<void> {
  const { env, options, args } = context;
  const spec = parseImageSpec(args[0] ?? '', options);
  const image = await openImage(context, { ...spec, snapshot: '' }, await openPool(context, spec));
  const isAll = options.has('all');
  const snapshots = oldestFirst(image).filter((snapshot) => isAll || isUserSnapshot(snapshot));
  if (wantsJson(options)) {
    const dumped = snapshots.map((snapshot) => ({
      id: Number(snapshot.id),
      name: textFromRaw(snapshot.name),
      size: Number(snapshot.imageSize),
      protected: String(isProtected(snapshot)),
      timestamp: timeText(snapshot.timestamp),
      ...(isAll && { namespace: { type: snapshotTypeName(snapshot) } }),
    }));
    env.stdout(formatJson(options, dumped));
    return;
  }
  if (snapshots.length === 0) return;
  const columns = [
    column('SNAPID', 'right'),
    column('NAME', 'left'),
    column('SIZE', 'left'),
    column('PROTECTED', 'left'),
    column('TIMESTAMP', 'left'),
    ...(isAll ? [column('NAMESPACE', 'left')] : []),
  ];
  const rows = snapshots.map((snapshot) => [
    String(snapshot.id),
    textFromRaw(snapshot.name),
    formatBytes(Number(snapshot.imageSize)),
    isProtected(snapshot) ? 'yes' : '',
    timeText(snapshot.timestamp),
    ...(isAll ? [snapshotTypeName(snapshot)] : []),
  ]);
  env.stdout(formatTable(columns, rows));
}

export async function imageMetaLs(context: VerbContext): Promise<void> {
  const { env, options, args } = context;
  const spec = parseImageSpec(args[0] ?? '', options);
  const io = await openPool(context, spec);
  const { header } = await openImage(context, spec, io);
  const pairs = await orRefuse('rbd: listing metadata failed', imageMetadata(io, header.id));
  const texts = [...pairs].map(([name, value]) => [textFromRaw(name), new TextDecoder().decode(value)] as const);
  if (wantsJson(options)) {
    env.stdout(formatJson(options, Object.fromEntries(texts)));
    return;
  }
  if (texts.length === 1) env.stdout('There is 1 metadatum on this image:\n\n');
  else env.stdout(`There are ${texts.length} metadata on this image${texts.length === 0 ? '.\n' : ':\n\n'}`);
  if (texts.length > 0) env.stdout(formatTable([column('Key', 'left'), column('Value', 'left')], texts));
}

export async function imageMetaGet(context: VerbContext): Promise<void> {
  const { env, options, args } = context;
  const spec = parseImageSpec(args[0] ?? '', options);
  const key = args[1];
  if (key === undefined) throw new Refusal('rbd: metadata key was not specified', EINVAL);
  const io = await openPool(context, spec);
  const { header } = await openImage(context, spec, io);
  const value = (await imageMetadata(io, header.id)).get(rawFromText(key));
  if (value === undefined) {
    const problem = describeErrno(2);
    const said = `failed to get metadata ${key} of image : ${problem}\nrbd: getting metadata failed: ${problem}`;
    throw new Refusal(said, 2);
  }
  env.stdout(`${new TextDecoder().decode(value)}\n`);
}
