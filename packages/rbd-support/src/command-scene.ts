/** What commands of the module have in common: when they are answered, and how what goes wrong is told (Module.handle_command). */
import { Errno } from '@spirula/encoding';
import {
  type Asker,
  type CommandArgs,
  type CommandOutcome,
  type ModuleCommand,
  moduleCommand,
  refuse,
} from '@spirula/mgr';
import { RadosError } from '@spirula/rados';
import type { ImagePools } from './image-pools.ts';
import { imageErrorText, notReady, Refusal } from './refusal.ts';

export interface CommandScene {
  readonly pools: ImagePools;
  /** Whether what the pools keep is known. */
  isReady(): boolean;
}

type Run = (args: CommandArgs, asker: Asker) => Promise<CommandOutcome>;

export function answer(scene: CommandScene): (line: string, help: string, run: Run) => ModuleCommand {
  return (line, help, run) =>
    moduleCommand(line, help, async (args, asker) => {
      try {
        if (!scene.isReady()) throw notReady();
        await scene.pools.rados.waitForLatestMap();
        return await run(args, asker);
      } catch (error) {
        if (error instanceof Refusal) return refuse(error.code, error.message);
        if (error instanceof RadosError) return refuse(error.code, imageErrorText(error.code, error.message));
        throw error;
      }
    });
}

/** @throws Refusal: it is missing */
export function argument(args: CommandArgs, name: string): string {
  const value = args[name];
  if (value === undefined) throw new Refusal(Errno.ENOENT, `'${name}'`);
  return String(value);
}

export function mayReach(asker: Asker, pool: string, namespace: string): boolean {
  return asker.may(
    new Map([
      ['pool', pool],
      ['namespace', namespace],
    ]),
  );
}

/** @throws Refusal */
export function authorize(asker: Asker, pool: string, namespace: string): void {
  if (mayReach(asker, pool, namespace)) return;
  throw new Refusal(Errno.EACCES, `not authorized on pool=${pool}, namespace=${namespace}`);
}
