/** Which command the words of a command line are (SimpleCmd, rgw_admin.cc): word by word, with other words for some. */
import { AdminError } from './admin-error.ts';

/** Of words that mean the same, the one that is looked for. */
const SAME: ReadonlyMap<string, string> = new Map([
  ['del', 'delete'],
  ['rm', 'remove'],
  ['mv', 'rename'],
]);
/** At the end of a command: one more word, of any kind, or none. */
const ANY = '[*]';

interface Branch {
  /** What may follow, as it is told. */
  readonly expected: Set<string>;
  readonly next: Map<string, Branch>;
  command?: string;
  /** The command of one more word. */
  withWord?: string;
}

export interface FoundCommand {
  /** As it is in the table. */
  readonly name: string;
  /** The word behind it; undefined: none. */
  readonly argument: string | undefined;
}

function newBranch(): Branch {
  return { expected: new Set(), next: new Map() };
}

export class CommandTree {
  readonly #root = newBranch();

  /** @param names words with spaces between; `[*]` for any one at the end */
  constructor(names: Iterable<string>) {
    for (const name of names) this.#add(name);
  }

  #add(name: string): void {
    let branch = this.#root;
    for (const word of name.split(' ')) {
      if (word === ANY) {
        branch.command = name;
        branch.withWord = name;
        return;
      }
      branch.expected.add(word);
      const key = SAME.get(word) ?? word;
      const next = branch.next.get(key) ?? newBranch();
      branch.next.set(key, next);
      branch = next;
    }
    branch.command = name;
  }

  /** @throws AdminError 1, with what could stand there */
  find(words: readonly string[]): FoundCommand {
    let branch = this.#root;
    for (const [i, word] of words.entries()) {
      const next = branch.next.get(SAME.get(word) ?? word);
      if (next) {
        branch = next;
        continue;
      }
      const isLast = i === words.length - 1;
      if (branch.withWord !== undefined && isLast) return { name: branch.withWord, argument: word };
      if (branch.command !== undefined) throw new AdminError(1, `Command not found: ${words.join(' ')}`);
      throw new AdminError(1, `ERROR: Unrecognized argument: '${word}'\n${expectedText(branch)}`);
    }
    if (branch.command === undefined) throw new AdminError(1, `ERROR: Unknown command\n${expectedText(branch)}`);
    return { name: branch.command, argument: undefined };
  }
}

function expectedText({ expected }: Branch): string {
  return `Expected one of the following:\n${[...expected]
    .sort()
    .map((word) => `  ${word}`)
    .join('\n')}\n`;
}
