/** What many verbs begin with: a pool is opened, an image in it, to be read or to be changed. */
import { Errno, rawFromText } from '@spirula/encoding';
import { type IoCtx, RadosError } from '@spirula/rados';
import { Image, namespaceExists, unwritableFeatures, WritableImage } from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import { imageWorld } from './image-world.ts';
import { featureNames } from './phrases.ts';
import { Refusal } from './refusal.ts';
import type { ImageSpec, PoolSpec } from './spec.ts';
import type { VerbContext } from './verb.ts';

/** What goes wrong is said behind the complaint, and is the exit status. @throws Refusal */
export async function orRefuse<T>(complaint: string, work: Promise<T>): Promise<T> {
  return await work.catch((error: unknown) => refuseWith(error, (code) => `${complaint}: ${describeErrno(code)}`));
}

/** The exit status says what was wrong, and nothing else does. @throws Refusal */
export async function orSilent<T>(work: Promise<T>): Promise<T> {
  return await work.catch((error: unknown) => refuseWith(error, () => ''));
}

/** @param say whole, of an errno. @throws Refusal with it as the exit status */
export function refuseWith(error: unknown, say: (code: number) => string): never {
  if (error instanceof RadosError) throw new Refusal(say(error.code), -error.code);
  throw error;
}

/** @throws Refusal */
export async function openPool(context: VerbContext, spec: PoolSpec): Promise<IoCtx> {
  const io = await openWholePool(context, spec.pool);
  if (spec.namespace === '') return io;
  const inNamespace = io.with({ nspace: rawFromText(spec.namespace) });
  if (!(await orRefuse('rbd: error asserting namespace', namespaceExists(inNamespace)))) {
    throw new Refusal(`rbd: namespace '${spec.namespace}' does not exist.`, -Errno.ENOENT);
  }
  return inNamespace;
}

/** Whatever namespace is spoken of. @throws Refusal */
export async function openWholePool({ rados }: VerbContext, pool: string): Promise<IoCtx> {
  try {
    return await rados.ioctx(pool);
  } catch (error) {
    return refuseWith(error, (code) => {
      const isDefault = pool === 'rbd' && code === Errno.ENOENT;
      const hint = 'Ensure that the default pool has been created or specify an alternate pool name.';
      return isDefault
        ? `rbd: error opening default pool 'rbd'\n${hint}`
        : `rbd: error opening pool '${pool}': ${describeErrno(code)}`;
    });
  }
}

/** @throws Refusal */
export async function openImage(context: VerbContext, spec: ImageSpec, io: IoCtx): Promise<Image> {
  const { image, imageId, snapshot } = spec;
  const { rados } = context;
  const opening =
    imageId === '' ? Image.open(rados, io, rawFromText(image)) : Image.openId(rados, io, rawFromText(imageId));
  const whole = await orRefuse(`rbd: error opening image ${imageId === '' ? image : `with id ${imageId}`}`, opening);
  if (snapshot === '') return whole;
  try {
    return await Image.open(rados, io, rawFromText(image), rawFromText(snapshot));
  } catch (error) {
    return refuseWith(error, () => `error setting snapshot context: ${describeErrno(Errno.ENOENT)}`);
  }
}

/** Closed afterwards, whatever the work came to. @throws Refusal */
export async function withImage(
  context: VerbContext,
  io: IoCtx,
  name: string,
  work: (image: WritableImage) => Promise<void>,
): Promise<void> {
  await withImageOf(context, io, { image: name, imageId: '' }, work);
}

/** As `withImage`, of an image that may be named by its id. @throws Refusal */
export async function withImageOf(
  context: VerbContext,
  io: IoCtx,
  { image: name, imageId }: Pick<ImageSpec, 'image' | 'imageId'>,
  work: (image: WritableImage) => Promise<void>,
): Promise<void> {
  const { rados } = context;
  const opening =
    imageId === ''
      ? WritableImage.open(rados, io, rawFromText(name), imageWorld)
      : WritableImage.openId(rados, io, rawFromText(imageId), imageWorld);
  const complaint = `rbd: error opening image ${imageId === '' ? name : `with id ${imageId}`}`;
  const image = await orRefuse(complaint, sayingWhy(context, io, { image: name, imageId }, opening));
  try {
    await work(image);
  } finally {
    await image.close();
  }
}

/** Which features it is that an image is only read for. */
async function sayingWhy<T>(
  { env, rados }: VerbContext,
  io: IoCtx,
  { image: name, imageId }: Pick<ImageSpec, 'image' | 'imageId'>,
  opening: Promise<T>,
): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.EROFS) {
      const image =
        imageId === '' ? Image.open(rados, io, rawFromText(name)) : Image.openId(rados, io, rawFromText(imageId));
      const { header } = await image;
      const features = featureNames(unwritableFeatures(header)).join(', ');
      if (features !== '') env.stderr(`rbd: images with ${features} are only read here\n`);
    }
    throw error;
  }
}
