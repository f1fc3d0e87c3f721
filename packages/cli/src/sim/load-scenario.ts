/** Scenarios by name, and from files: TypeScript or JavaScript with the scenario as default export, YAML, JSON. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import {
  BadScenario,
  checkScenario,
  findScenario,
  listScenarios,
  readScenario,
  type Scenario,
  type ScenarioSpec,
} from '@spirula/sim-scenarios';
import { SeededRandom } from '@spirula/sim-world';
import { UserError } from '../cluster/user-error.ts';

const DATA = new Set(['.yaml', '.yml', '.json']);
const CODE = new Set(['.ts', '.mts', '.js', '.mjs']);
/** What `import ... from 'spirula/sim'` in a scenario gives: built beside the bundle that this is in. */
const LIBRARY = new URL('./sim.mjs', import.meta.url);

/** @throws UserError when there is no such scenario, or it cannot be run: it says where in the file and why */
export async function loadScenario(source: string): Promise<Scenario> {
  const ready = listScenarios().map(({ name }) => name);
  if (ready.includes(source)) return findScenario(source);
  const extension = extname(source);
  if (!DATA.has(extension) && !CODE.has(extension)) {
    throw new UserError(
      `There is no scenario ${source}. There are: ${ready.join(' ')}; or name a file (.ts, .js, .yaml, .json).`,
    );
  }
  if (!existsSync(source)) throw new UserError(`There is no file ${source}.`);
  try {
    return DATA.has(extension)
      ? fixed(source, readScenario(readFileSync(source, 'utf8')))
      : fromModule(source, await importModule(source));
  } catch (error) {
    if (!(error instanceof BadScenario)) throw error;
    throw new UserError(error.problems.map((problem) => `${source}: ${problem}`).join('\n'));
  }
}

function fixed(source: string, spec: ScenarioSpec): Scenario {
  const { name, question = '' } = spec;
  return { name, source, summary: question, isDrawn: false, draw: () => spec };
}

/** The default export is the scenario, or a function that draws it. */
function fromModule(source: string, exported: unknown): Scenario {
  if (typeof exported !== 'function') return fixed(source, checkScenario(exported));
  const draw = (seed: number) => {
    try {
      return checkScenario(exported(new SeededRandom(seed, 'config')));
    } catch (error) {
      if (!(error instanceof BadScenario)) throw error;
      throw new UserError(error.problems.map((problem) => `${source}, seed ${seed}: ${problem}`).join('\n'));
    }
  };
  const { name, question = '' } = draw(1);
  return { name, source, summary: question, isDrawn: true, draw };
}

/** The default export of a module, with its own imports, in TypeScript or JavaScript. */
async function importModule(source: string): Promise<unknown> {
  const { build } = await import('esbuild');
  const folder = mkdtempSync(join(tmpdir(), 'spirula-scenario-'));
  const outfile = join(folder, 'scenario.mjs');
  try {
    await build({
      entryPoints: [resolve(source)],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      logLevel: 'silent',
      plugins: [
        {
          name: 'spirula',
          setup: ({ onResolve }) => onResolve({ filter: /^spirula\/sim$/ }, () => ({ path: fileURLToPath(LIBRARY) })),
        },
      ],
    });
    const module = (await import(pathToFileURL(outfile).href)) as { readonly default?: unknown };
    if (module.default === undefined) throw new UserError(`${source} has no default export: export the scenario.`);
    return module.default;
  } catch (error) {
    if (error instanceof UserError || error instanceof BadScenario) throw error;
    throw new UserError(`${source}: ${(error as Error).message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
