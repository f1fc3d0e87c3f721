import { rawFromText } from '@spirula/encoding';
import { OsdFlag } from '@spirula/messages';
import type { IoCtx, Rados } from '@spirula/rados';
import { RadosError } from '@spirula/rados';
import type { ToolEnvironment } from '../ceph/environment.ts';
import { describeErrno } from '../ceph/errno-text.ts';

/** What a verb works with. */
export interface VerbContext {
  readonly env: ToolEnvironment;
  readonly options: ReadonlyMap<string, string>;
  /** The words after the verb. */
  readonly args: readonly string[];
  readonly rados: Rados;
  /** Name of the pool given, or ''. */
  readonly pool: string;
  readonly io: IoCtx | undefined;
}

export interface Verb {
  run(context: VerbContext): Promise<void>;
  /** Fewest words it takes. */
  readonly least: number;
}

/** The verb failed: its message, whole ('' when all is said), and status 1. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** Runs `work`; an errno it is answered with ends the verb with `complaint` before the errno's text. */
export async function orRefuse<T>(complaint: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RadosError) throw new Refusal(`${complaint}: ${describeErrno(error.code)}`);
    throw error;
  }
}

/** I/O on the pool, in the namespace and with the locator of the command line. */
export function requireIo({ io, options }: VerbContext): IoCtx {
  if (!io) throw new Refusal('pool name was not specified');
  const nspace = options.get('namespace');
  const locatorKey = options.get('locator');
  return io.with({
    ...(nspace !== undefined && { nspace: rawFromText(nspace) }),
    ...(locatorKey !== undefined && { locatorKey: rawFromText(locatorKey) }),
    ...(options.has('force_full') && { flags: OsdFlag.fullForce }),
  });
}

/** JSON as Ceph's formatters lay it out. */
export function formatJson(options: ReadonlyMap<string, string>, value: unknown): string {
  return options.get('format') === 'json-pretty' ? `${JSON.stringify(value, null, 4)}\n` : JSON.stringify(value);
}

export function wantsJson(options: ReadonlyMap<string, string>): boolean {
  return options.get('format')?.startsWith('json') ?? false;
}
