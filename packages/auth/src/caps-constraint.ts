/** What a grant asks of a command's arguments: `with KEY=VALUE KEY prefix VALUE KEY regex VALUE`. */
import type { CapsScanner } from './caps-scanner.ts';

export interface Constraint {
  readonly kind: 'equal' | 'prefix' | 'regex';
  readonly value: string;
}

/** Argument name -> what it must be. All must hold. */
export type Constraints = ReadonlyMap<string, Constraint>;

export const NO_CONSTRAINTS: Constraints = new Map();

/** Longer arguments match no pattern: one with repetitions in repetitions takes forever over a long text. */
const MAX_MATCHED = 200;

/** `KEY=VALUE`, and more of them. `loose` allows blanks around `=`, as managers do. */
export function constraints(scanner: CapsScanner, loose: boolean): Constraints | undefined {
  const found = new Map<string, Constraint>();
  for (;;) {
    const pair = scanner.attempt(() => (found.size === 0 || scanner.spaces() ? constraint(scanner, loose) : undefined));
    if (pair === undefined) return found.size === 0 ? undefined : found;
    // Of a name that comes twice the first counts.
    if (!found.has(pair[0])) found.set(...pair);
  }
}

function constraint(scanner: CapsScanner, loose: boolean): [name: string, constraint: Constraint] | undefined {
  const name = scanner.string();
  if (name === undefined) return undefined;
  const value = scanner.attempt(() =>
    scanner.match(loose ? /[ \n\t]*=[ \n\t]*/y : /=/y) ? scanner.string() : undefined,
  );
  if (value !== undefined) return [name, { kind: 'equal', value }];
  for (const kind of ['prefix', 'regex'] as const) {
    const operand = scanner.attempt(() =>
      scanner.spaces() && scanner.literal(kind) && scanner.spaces() ? scanner.string() : undefined,
    );
    if (operand !== undefined) return [name, { kind, value: operand }];
  }
  return undefined;
}

/** Whether arguments are all there, and as they must be. */
export function satisfies(args: ReadonlyMap<string, string>, constraints: Constraints): boolean {
  for (const [name, { kind, value }] of constraints) {
    const argument = args.get(name);
    if (argument === undefined) return false;
    if (
      kind === 'equal'
        ? argument !== value
        : kind === 'prefix'
          ? !argument.startsWith(value)
          : !matches(argument, value)
    )
      return false;
  }
  return true;
}

const CLASSES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  blank: ' \\t',
  digit: '0-9',
  lower: 'a-z',
  space: '\\s',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
};

/** Whether the whole text matches a POSIX extended pattern. One that is none matches nothing. */
function matches(text: string, pattern: string): boolean {
  if (text.length > MAX_MATCHED) return false;
  const source = pattern.replaceAll(/\[:(\w+):\]/g, (all, name: string) => CLASSES[name] ?? all);
  try {
    return new RegExp(`^(?:${source})$`, 's').test(text);
  } catch {
    return false;
  }
}
