import { Errno, rawFromText } from '@spirula/encoding';
import { type IoCtx, type Rados, RadosError } from '@spirula/rados';
import { Image } from '@spirula/rbd';
import type { ToolEnvironment } from '../ceph/environment.ts';
import { describeErrno } from '../ceph/errno-text.ts';
import { Refusal } from './refusal.ts';
import type { ImageSpec } from './spec.ts';

/** What a verb works with. */
export interface VerbContext {
  readonly env: ToolEnvironment;
  readonly options: ReadonlyMap<string, string>;
  /** The words after the verb. */
  readonly args: readonly string[];
  readonly rados: Rados;
}

export type Verb = (context: VerbContext) => Promise<void>;

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

/** JSON as Ceph's formatters lay it out. */
export function formatJson(options: ReadonlyMap<string, string>, value: unknown): string {
  return `${JSON.stringify(value, null, options.has('pretty') ? 4 : undefined)}\n`;
}

export function wantsJson(options: ReadonlyMap<string, string>): boolean {
  return options.get('format') === 'json';
}
