/** How far a verb is, on standard error, as `rbd` writes it (tools/rbd/Utils.cc, ProgressContext). */
import type { VerbContext } from './verb.ts';

export type OnProgress = (done: number, of: number) => void;

/** Runs work that tells how far it is; nothing is shown with `--no-progress`. */
export async function withProgress<T>(
  { env, options }: Pick<VerbContext, 'env' | 'options'>,
  operation: string,
  work: (onProgress: OnProgress) => Promise<T>,
): Promise<T> {
  const say = (text: string) => {
    if (!options.has('no_progress')) env.stderr(`\r${operation}: ${text}`);
  };
  let shown = 0;
  const onProgress = (done: number, of: number) => {
    const percent = of === 0 ? 0 : Math.floor((100 * done) / of);
    if (percent > shown) say(`${(shown = percent)}% complete...`);
  };
  let result: T;
  try {
    result = await work(onProgress);
  } catch (error) {
    say(`${shown}% complete...failed.\n`);
    throw error;
  }
  say('100% complete...done.\n');
  return result;
}
