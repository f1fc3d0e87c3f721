/** Options of clients of images, for all, for a pool, for an image (tools/rbd/action/Config.cc, librbd/api/Config.cc). */
import { allOptions, findOption, formatValue, type Option, parseValue } from '@spirula/config';
import { rawFromText, textFromRaw } from '@spirula/encoding';
import { column, formatTable } from '@spirula/formatter';
import type { CommandResult } from '@spirula/rados';
import {
  imageMetadata,
  type Metadata,
  poolMetadata,
  removeImageMetadata,
  removePoolMetadata,
  setImageMetadata,
  setPoolMetadata,
} from '@spirula/rbd';
import { clientName } from '../ceph/client-auth.ts';
import { openConf } from '../ceph/environment.ts';
import { describeErrno } from '../ceph/errno-text.ts';
import { openImage, openPool, openWholePool, orRefuse, withImage } from './context.ts';
import { imageWorld } from './image-world.ts';
import { show } from './output.ts';
import { featureBits } from './phrases.ts';
import { Refusal } from './refusal.ts';
import { takeImageSpec } from './spec.ts';
import { FORMAT_OPTIONS, IMAGE_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

const ENOENT = 2;
const EINVAL = 22;
/** What names of such pairs begin with. */
const PREFIX = 'conf_';

/** They are not read from pools. */
const NOT_OF_POOLS: ReadonlySet<string> = new Set([
  'rbd_auto_exclusive_lock_until_manual_request',
  'rbd_default_format',
  'rbd_default_pool',
  'rbd_discard_on_zeroed_write_same',
  'rbd_op_thread_timeout',
  'rbd_op_threads',
  'rbd_tracing',
  'rbd_validate_names',
  'rbd_validate_pool',
  'rbd_mirror_pool_replayers_refresh_interval',
  'rbd_config_pool_override_update_timestamp',
]);
/** They count when an image is made. */
const NOT_OF_IMAGES: ReadonlySet<string> = new Set([
  'rbd_default_clone_format',
  'rbd_default_data_pool',
  'rbd_default_features',
  'rbd_default_format',
  'rbd_default_order',
  'rbd_default_stripe_count',
  'rbd_default_stripe_unit',
  'rbd_journal_order',
  'rbd_journal_pool',
  'rbd_journal_splay_width',
]);

function takeEntity({ args }: VerbContext): string {
  const entity = args.take();
  if (entity !== 'global' && entity !== 'client' && !entity.startsWith('client.')) {
    throw new Refusal(`rbd: invalid config entity: ${entity} (must be global, client or client.<id>)`, EINVAL);
  }
  return entity;
}

function takePool({ args }: VerbContext): string {
  const pool = args.take();
  if (pool === '') throw new Refusal('rbd: pool name was not specified', EINVAL);
  return pool;
}

function takeKey({ args }: VerbContext): string {
  const key = args.take();
  if (key === '') throw new Refusal('rbd: config key was not specified', EINVAL);
  if (!key.startsWith('rbd_')) throw new Refusal(`rbd: not rbd option: ${key}`, EINVAL);
  if (!findOption(key)) throw new Refusal(`rbd: invalid config key: ${key}`, EINVAL);
  return key;
}

interface GlobalOption {
  readonly value: string;
  readonly section: string;
}

/** Of everyone, of clients and of this client, as the monitors keep them: the narrower counts. */
async function globalOptions({ rados }: VerbContext, entity: string): Promise<ReadonlyMap<string, GlobalOption>> {
  const { code, status, data } = await rados.monCommand({ prefix: 'config dump', format: 'json' });
  if (code < 0) throw new Refusal(`rbd: error reading config: ${status}`, -code);
  const all = JSON.parse(new TextDecoder().decode(data)) as readonly (GlobalOption & { readonly name: string })[];
  const sections = ['global', ...(entity === 'global' ? [] : ['client']), ...(entity.includes('.') ? [entity] : [])];
  const found = new Map<string, GlobalOption>();
  for (const section of sections) {
    for (const { name, value, section: of } of all) {
      if (of === section && name.startsWith('rbd_')) found.set(name, { value, section });
    }
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function globalGet(context: VerbContext): Promise<void> {
  const entity = takeEntity(context);
  const key = takeKey(context);
  const option = (await globalOptions(context, entity)).get(key);
  if (option?.section !== entity) throw new Refusal(`rbd: ${key} is not set`, ENOENT);
  context.env.stdout(`${option.value}\n`);
}

async function globalSet(context: VerbContext): Promise<void> {
  const who = takeEntity(context);
  const name = takeKey(context);
  const value = context.args.take();
  const answer = await context.rados.monCommand({ prefix: 'config set', who, name, value });
  requireDone(answer, `rbd: error setting ${name}`);
}

async function globalRemove(context: VerbContext): Promise<void> {
  const who = takeEntity(context);
  const name = takeKey(context);
  const answer = await context.rados.monCommand({ prefix: 'config rm', who, name });
  requireDone(answer, `rbd: error removing ${name}`);
}

function requireDone({ code, status }: CommandResult, complaint: string): void {
  if (code < 0) throw new Refusal(`${complaint}: ${status}`, -code);
}

async function globalLs(context: VerbContext): Promise<void> {
  const entity = takeEntity(context);
  const options = [...(await globalOptions(context, entity))].map(([name, option]) => ({
    name,
    value: option.value,
    section: option.section,
  }));
  show(context, options, () =>
    options.length === 0
      ? ''
      : formatTable(
          ['Name', 'Value', 'Section'].map((name) => column(name, 'left')),
          options.map(({ name, value, section }) => [name, value, section]),
        ),
  );
}

async function poolGet(context: VerbContext): Promise<void> {
  const pool = takePool(context);
  const key = takeKey(context);
  printValue(context, await poolMetadata(await openWholePool(context, pool)), key);
}

function printValue({ env }: VerbContext, metadata: Metadata, key: string): void {
  const value = metadata.get(rawFromText(PREFIX + key));
  if (value === undefined) throw new Refusal(`rbd: ${key} is not set`, ENOENT);
  env.stdout(`${new TextDecoder().decode(value)}\n`);
}

async function poolSet(context: VerbContext): Promise<void> {
  const pool = takePool(context);
  const key = takeKey(context);
  const value = context.args.take();
  const io = await openWholePool(context, pool);
  requireOption(key, value, ofPools);
  const now = imageWorld.wall();
  const setting = setPoolMetadata(context.rados, io, rawFromText(PREFIX + key), toBytes(value), now);
  await orRefuse(`rbd: failed to set ${key}`, setting);
}

/** An option that is not one of these is refused as librbd refuses it. */
function requireOption(key: string, value: string, isOne: (name: string) => boolean): void {
  const option = findOption(key);
  const parsed = option && isOne(key) ? parseValue(key, option, value) : undefined;
  if (!parsed?.ok) throw new Refusal(`rbd: failed to set ${key}: ${describeErrno(EINVAL)}`, EINVAL);
}

async function poolRemove(context: VerbContext): Promise<void> {
  const pool = takePool(context);
  const key = takeKey(context);
  const io = await openWholePool(context, pool);
  const removing = removePoolMetadata(context.rados, io, rawFromText(PREFIX + key), imageWorld.wall());
  await orRefuse(`rbd: failed to remove ${key}`, removing);
}

async function poolLs(context: VerbContext): Promise<void> {
  const io = await openWholePool(context, takePool(context));
  const values = await baseValues(context, ofPools);
  override(values, await orRefuse('rbd: failed to list config', poolMetadata(io)), 'pool');
  showOptions(context, values);
}

async function imageGet(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const key = takeKey(context);
  const io = await openPool(context, spec);
  const { header } = await openImage(context, spec, io);
  printValue(context, await imageMetadata(io, header.id), key);
}

async function imageSet(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const key = takeKey(context);
  const value = context.args.take();
  if (value === '') throw new Refusal('rbd: image config value was not specified', EINVAL);
  await withImage(context, await openPool(context, spec), spec.image, async (image) => {
    requireOption(key, value, ofImages);
    await orRefuse(`rbd: failed to set ${key}`, setImageMetadata(image, rawFromText(PREFIX + key), toBytes(value)));
  });
}

async function imageRemove(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const key = takeKey(context);
  await withImage(context, await openPool(context, spec), spec.image, (image) =>
    orRefuse(`rbd: failed to remove ${key}`, removeImageMetadata(image, rawFromText(PREFIX + key))),
  );
}

async function imageLs(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const io = await openPool(context, spec);
  const { header } = await openImage(context, spec, io);
  const values = await baseValues(context, ofImages);
  override(values, await poolMetadata(io.with({ nspace: '' })), 'pool');
  override(values, await imageMetadata(io, header.id), 'image');
  showOptions(context, values, `There are ${values.size} values:\n`);
}

interface SourcedValue {
  readonly value: string;
  readonly source: 'config' | 'pool' | 'image';
}

/** What a client has without a pool: the defaults, what the monitors keep for it, its ceph.conf. */
async function baseValues(
  context: VerbContext,
  isShown: (name: string) => boolean,
): Promise<Map<string, SourcedValue>> {
  const { type, id } = clientName(context.options);
  const client = `${type}.${id}`;
  const { conf } = await openConf(context.env, context.options);
  const kept = await globalOptions(context, client);
  const values = new Map<string, SourcedValue>();
  for (const [name, option] of [...allOptions()].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!isShown(name)) continue;
    const text = SET_BY_TOOL.get(name) ?? conf.get(name, client) ?? kept.get(name)?.value;
    values.set(name, { value: textOf(name, option, text), source: 'config' });
  }
  return values;
}

/** The tool itself has these, whatever is kept for it (tools/rbd/Utils.cc, init_context). */
const SET_BY_TOOL: ReadonlyMap<string, string> = new Map([['rbd_cache_writethrough_until_flush', 'false']]);

function textOf(name: string, option: Option, text: string | undefined): string {
  if (name === 'rbd_default_features') return featuresText(text ?? String(option.default));
  if (text === undefined) return formatValue(option.type, option.default);
  const parsed = parseValue(name, option, text);
  return parsed.ok ? parsed.text : text;
}

/** Features are named, and shown as a number. */
function featuresText(text: string): string {
  return /^\d+$/.test(text) ? text : String(featureBits([text]) ?? text);
}

function override(values: Map<string, SourcedValue>, metadata: Metadata, source: 'pool' | 'image'): void {
  for (const [name, value] of metadata) {
    const key = textFromRaw(name);
    const option = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : '';
    if (values.has(option)) values.set(option, { value: new TextDecoder().decode(value), source });
  }
}

function showOptions(context: VerbContext, values: ReadonlyMap<string, SourcedValue>, heading = ''): void {
  const options = [...values].map(([name, { value, source }]) => ({ name, value, source }));
  show(context, options, () => {
    const table = formatTable(
      ['Name', 'Value', 'Source'].map((name) => column(name, 'left')),
      options.map(({ name, value, source }) => [name, value, source]),
    );
    return `${heading}${table}`;
  });
}

function ofPools(name: string): boolean {
  return name.startsWith('rbd_') && !NOT_OF_POOLS.has(name);
}

function ofImages(name: string): boolean {
  return ofPools(name) && !NOT_OF_IMAGES.has(name) && !name.startsWith('rbd_mirror_');
}

function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const NO_OPTIONS = {};

export const configVerbs: readonly VerbDefinition[] = [
  {
    names: ['config global ls', 'config global list'],
    usage: [['config global get|set|rm|ls WHO', 'options of clients; WHO: global, client, client.ID [NAME [VALUE]]']],
    options: FORMAT_OPTIONS,
    maxArgs: 1,
    run: globalLs,
  },
  { names: ['config global get'], usage: [], options: NO_OPTIONS, maxArgs: 2, run: globalGet },
  { names: ['config global set'], usage: [], options: NO_OPTIONS, maxArgs: 3, run: globalSet },
  {
    names: ['config global rm', 'config global remove'],
    usage: [],
    options: NO_OPTIONS,
    maxArgs: 2,
    run: globalRemove,
  },
  {
    names: ['config pool ls', 'config pool list'],
    usage: [['config pool get|set|rm|ls POOL', 'for a pool [NAME [VALUE]]']],
    options: FORMAT_OPTIONS,
    maxArgs: 1,
    run: poolLs,
  },
  { names: ['config pool get'], usage: [], options: NO_OPTIONS, maxArgs: 2, run: poolGet },
  { names: ['config pool set'], usage: [], options: NO_OPTIONS, maxArgs: 3, run: poolSet },
  { names: ['config pool rm', 'config pool remove'], usage: [], options: NO_OPTIONS, maxArgs: 2, run: poolRemove },
  {
    names: ['config image ls', 'config image list'],
    usage: [['config image get|set|rm|ls IMAGE', 'for an image [NAME [VALUE]]']],
    options: { ...IMAGE_OPTIONS, ...FORMAT_OPTIONS },
    maxArgs: 1,
    run: imageLs,
  },
  { names: ['config image get'], usage: [], options: IMAGE_OPTIONS, maxArgs: 2, run: imageGet },
  { names: ['config image set'], usage: [], options: IMAGE_OPTIONS, maxArgs: 3, run: imageSet },
  {
    names: ['config image rm', 'config image remove'],
    usage: [],
    options: IMAGE_OPTIONS,
    maxArgs: 2,
    run: imageRemove,
  },
];
