/** Verbs of what programs have noted of images (tools/rbd/action/ImageMeta.cc). */
import { rawFromText, textFromRaw } from '@spirula/encoding';
import { column, formatTable } from '@spirula/formatter';
import { imageMetadata, removeImageMetadata, setImageMetadata } from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import { openImage, openPool, orRefuse, refuseWith, withImage } from './context.ts';
import { formatJson, wantsJson } from './output.ts';
import { Refusal } from './refusal.ts';
import { takeImageSpec } from './spec.ts';
import { FORMAT_OPTIONS, IMAGE_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

const ENOENT = 2;
const EINVAL = 22;

async function imageMetaLs(context: VerbContext): Promise<void> {
  const { env, options } = context;
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const io = await openPool(context, spec);
  const { header } = await openImage(context, spec, io);
  const pairs = await orRefuse('rbd: listing metadata failed', imageMetadata(io, header.id));
  const texts = [...pairs].map(([name, value]) => [textFromRaw(name), new TextDecoder().decode(value)] as const);
  if (wantsJson(options)) {
    if (texts.length > 0) env.stdout(formatJson(options, Object.fromEntries(texts)));
    return;
  }
  if (texts.length === 1) env.stdout('There is 1 metadatum on this image:\n\n');
  else env.stdout(`There are ${texts.length} metadata on this image${texts.length === 0 ? '.\n' : ':\n\n'}`);
  if (texts.length > 0) env.stdout(formatTable([column('Key', 'left'), column('Value', 'left')], texts));
}

async function imageMetaGet(context: VerbContext): Promise<void> {
  const { env, args } = context;
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const key = takeKey(args);
  const io = await openPool(context, spec);
  const { header } = await openImage(context, spec, io);
  const value = (await imageMetadata(io, header.id)).get(rawFromText(key));
  if (value === undefined) {
    const problem = describeErrno(ENOENT);
    const said = `failed to get metadata ${key} of image : ${problem}\nrbd: getting metadata failed: ${problem}`;
    throw new Refusal(said, ENOENT);
  }
  env.stdout(`${new TextDecoder().decode(value)}\n`);
}

async function imageMetaSet(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const key = takeKey(context.args);
  const value = context.args.take();
  if (value === '') throw new Refusal('rbd: metadata value was not specified', EINVAL);
  await withImage(context, await openPool(context, spec), spec.image, async (image) => {
    try {
      await setImageMetadata(image, rawFromText(key), new TextEncoder().encode(value));
    } catch (error) {
      refuseWith(error, (code) => {
        const problem = describeErrno(code);
        return `failed to set metadata ${key} of image : ${problem}\nrbd: setting metadata failed: ${problem}`;
      });
    }
  });
}

async function imageMetaRemove(context: VerbContext): Promise<void> {
  const spec = takeImageSpec(context, { snapshot: 'none' });
  const key = takeKey(context.args);
  await withImage(context, await openPool(context, spec), spec.image, async (image) => {
    try {
      await removeImageMetadata(image, rawFromText(key));
    } catch (error) {
      refuseWith(error, (code) => {
        const problem = describeErrno(code);
        const what =
          -code === ENOENT
            ? `rbd: no existing metadata key ${key} of image : ${problem}`
            : `failed to remove metadata ${key} of image : ${problem}`;
        return `${what}\nrbd: removing metadata failed: ${problem}`;
      });
    }
  });
}

function takeKey(args: VerbContext['args']): string {
  const key = args.take();
  if (key === '') throw new Refusal('rbd: metadata key was not specified', EINVAL);
  return key;
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
  {
    names: ['image-meta set'],
    usage: [['image-meta set IMAGE KEY VALUE', 'note something, or with rm note it no more']],
    options: IMAGE_OPTIONS,
    maxArgs: 3,
    run: imageMetaSet,
  },
  {
    names: ['image-meta rm', 'image-meta remove'],
    usage: [['image-meta rm IMAGE KEY', '']],
    options: IMAGE_OPTIONS,
    maxArgs: 2,
    run: imageMetaRemove,
  },
];
