import { SingleBar } from 'cli-progress';

/** On standard error, unless `--no-progress` is given. */
export function progressBar(options: ReadonlyMap<string, string>, what: string, total: number) {
  const bar = options.has('no_progress')
    ? undefined
    : new SingleBar({ format: `${what}: {percentage}% complete`, stream: process.stderr });
  bar?.start(Math.max(1, total), 0);
  return { advance: (by: number) => bar?.increment(by), end: () => bar?.stop() };
}
