/** Verbs of what programs have noted of images (tools/rbd/action/ImageMeta.cc). */
import { rawFromText, textFromRaw } from '@spirula/encoding';
import { column, formatTable } from '@spirula/formatter';
import { imageMetadata } from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import { openImage, openPool, orRefuse } from './context.ts';
import { formatJson, wantsJson } from './output.ts';
import { Refusal } from './refusal.ts';
import { takeImageSpec } from './spec.ts';
import { FORMAT_OPTIONS, IMAGE_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

const EINVAL = 22;

async function imageMetaLs(context: VerbContext): Promise<void> {
  const { env, options } = context;
  const spec = takeImageSpec(context, { snapshot: 'none' });
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

async function imageMetaGet(context: VerbContext): Promise<void> {
  const { env, args } = context;
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const key = args.take();
  if (key === '') throw new Refusal('rbd: metadata key was not specified', EINVAL);
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

export const imageMetaVerbs: readonly VerbDefinition[] = [
  {
    names: ['image-meta ls', 'image-meta list'],
    usage: [['image-meta ls IMAGE', 'what programs have noted of an image']],
    options: { ...IMAGE_OPTIONS, ...FORMAT_OPTIONS },
    maxArgs: 1,
    run: imageMetaLs,
  },
  {
    names: ['image-meta get'],
    usage: [['image-meta get IMAGE KEY', '']],
    options: IMAGE_OPTIONS,
    maxArgs: 2,
    run: imageMetaGet,
  },
];
