/** What many verbs begin with: a pool is opened, an image in it, to be read or to be changed. */
import { Errno, rawFromText } from '@spirula/encoding';
import { type IoCtx, RadosError } from '@spirula/rados';
import { Image, WritableImage } from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import { imageWorld } from './image-world.ts';
import { Refusal } from './refusal.ts';
import type { ImageSpec } from './spec.ts';
import type { VerbContext } from './verb.ts';

export async function orRefuse<T>(complaint: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RadosError) throw new Refusal(`${complaint}: ${describeErrno(error.code)}`, -error.code);
    throw error;
  }
}

/** @throws Refusal */
export async function openPool({ rados }: VerbContext, spec: Pick<ImageSpec, 'pool' | 'namespace'>): Promise<IoCtx> {
  const { pool, namespace } = spec;
  const opening = rados.ioctx(pool);
  try {
    return (await opening).with({ nspace: rawFromText(namespace) });
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
    const isDefault = pool === 'rbd' && error.code === Errno.ENOENT;
    const hint = 'Ensure that the default pool has been created or specify an alternate pool name.';
    throw isDefault
      ? new Refusal(`rbd: error opening default pool 'rbd'\n${hint}`, -error.code)
      : new Refusal(`rbd: error opening pool '${pool}': ${describeErrno(error.code)}`, -error.code);
  }
}

/** @throws Refusal */
export async function openImage(context: VerbContext, spec: ImageSpec, io: IoCtx): Promise<Image> {
  const { image, snapshot } = spec;
  const whole = await orRefuse(`rbd: error opening image ${image}`, Image.open(context.rados, io, rawFromText(image)));
  if (snapshot === '') return whole;
  const complaint = `error setting snapshot context: ${describeErrno(Errno.ENOENT)}`;
  try {
    return await Image.open(context.rados, io, rawFromText(image), rawFromText(snapshot));
  } catch (error) {
    if (error instanceof RadosError) throw new Refusal(complaint, -error.code);
    throw error;
  }
}

/** Closed afterwards, whatever the work came to. @throws Refusal */
export async function withImage(
  { rados }: VerbContext,
  io: IoCtx,
  name: string,
  work: (image: WritableImage) => Promise<void>,
): Promise<void> {
  const opening = WritableImage.open(rados, io, rawFromText(name), imageWorld);
  const image = await orRefuse(`rbd: error opening image ${name}`, opening);
  try {
    await work(image);
  } finally {
    await image.close();
  }
}
