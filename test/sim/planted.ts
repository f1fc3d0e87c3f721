/**
 * Looks for planted bugs: `npm run planted -- [NAME...]`, all of them without a name. Each is run under the seeds 1, 2, 3 ... until one
 * catches it; the control, the program as it is, runs under the same seeds and must be clean.
 *
 * `npm run planted -- --build NAME [DIR]` builds the command line with the bug in it, to look for it with what a user has.
 */
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildAll } from '../../packages/cli/bin/build.mjs';
import { type Catch, Control, hunt } from './hunt.ts';
import { plant } from './planted-bug.ts';
import { PLANTED_BUGS, type PlantedBug } from './planted-bugs.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAX_SEEDS = 60;
const VERDICT_LENGTH = 100;

function findBug(id: string): PlantedBug {
  const bug = PLANTED_BUGS.find((each) => each.id === id);
  if (bug !== undefined) return bug;
  console.error(`There is no planted bug ${id}. There are:\n${PLANTED_BUGS.map((each) => `  ${each.id}`).join('\n')}`);
  process.exit(1);
}

async function buildWith(bug: PlantedBug, folder = `dist/planted/${bug.id}`): Promise<void> {
  const outdir = resolve(folder);
  mkdirSync(outdir, { recursive: true });
  await buildAll({ outdir, plugins: [plant(bug)] });
  // What is not part of the bundle is found from there, too.
  const modules = join(outdir, 'node_modules');
  if (relative(ROOT, outdir).startsWith('..') && !existsSync(modules)) symlinkSync(join(ROOT, 'node_modules'), modules);
  console.log(`Built with the bug "${bug.name}". To look for it:`);
  console.log(`  node ${join(folder, 'main.mjs')} sim run ${bug.scenario} --seeds 1..40`);
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

async function huntAll(bugs: readonly PlantedBug[]): Promise<boolean> {
  const control = new Control();
  let good = true;
  console.log('| bug | in | checker | scenario | seeds | what the run says |');
  console.log('| --- | -- | ------- | -------- | ----- | ----------------- |');
  for (const [i, bug] of bugs.entries()) {
    const caught = await hunt(bug, MAX_SEEDS, (seed) =>
      progress(`${i + 1} of ${bugs.length}: ${bug.id}, ${bug.scenario}, seed ${seed}`),
    );
    const unclean = await control.check(bug.scenario, caught.seeds, (seed) =>
      progress(`${i + 1} of ${bugs.length}: control, ${bug.scenario}, seed ${seed}`),
    );
    progress('');
    console.log(row(bug, caught));
    for (const other of caught.others) console.error(`  ${bug.id}: not for its reason: ${other}`);
    for (const problem of unclean) console.error(`  the control is not clean: ${problem}`);
    if (caught.verdict === undefined || unclean.length > 0) good = false;
  }
  console.log(`\nControl, without a bug, under the same seeds: ${control.runs} runs, ${control.failed} failed.`);
  return good;
}

function row({ id, name, file, checker, scenario }: PlantedBug, { verdict, seeds }: Catch): string {
  const said = (verdict ?? 'not caught').replaceAll('|', '\\|');
  const short = said.length > VERDICT_LENGTH ? `${said.slice(0, VERDICT_LENGTH)} ...` : said;
  const daemon = /^packages\/([^/]+)/.exec(file)![1]!;
  return `| \`${id}\`: ${name} | ${daemon} | ${checker} | ${scenario} | ${seeds} | ${short} |`;
}

const args = process.argv.slice(2).filter((each) => each !== '--');
if (args[0] === '--build') {
  if (args[1] === undefined) findBug('');
  await buildWith(findBug(args[1]!), args[2]);
} else if (!(await huntAll(args.length === 0 ? PLANTED_BUGS : args.map(findBug)))) process.exitCode = 1;
