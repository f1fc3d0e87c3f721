import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../cluster/user-error.ts';

/** `spirula logs [daemon]`: the last `lines` of the log of each daemon. */
export function logs(dir: string, daemon: string | undefined, lines: number): void {
  const folder = join(dir, 'log');
  if (!existsSync(folder)) throw new UserError(`${folder} does not exist: no cluster was ever started in ${dir}.`);
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .sort();
  const chosen = daemon === undefined ? names : names.filter((name) => name === `${daemon}.log`);
  if (chosen.length === 0) {
    throw new UserError(
      `${folder} has no log of ${daemon}. There are: ${names.map((name) => name.slice(0, -4)).join(' ')}.`,
    );
  }
  for (const name of chosen) {
    if (chosen.length > 1) console.log(`== ${name.slice(0, -4)}`);
    const text = readFileSync(join(folder, name), 'utf8').trimEnd();
    console.log(text.split('\n').slice(-lines).join('\n'));
  }
}
