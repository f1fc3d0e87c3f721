/** Options that stand before, after or between the words of a command, as those of `ceph` do (Python's parse_known_args). */

/** `list`: as often as wanted; what is said is joined by commas. */
type OptionKind = 'flag' | 'value' | 'list';

export interface OptionTable {
  /** Long and short spellings -> name and kind. */
  readonly [spelling: string]: readonly [name: string, kind: OptionKind];
}

export interface ParsedLine {
  readonly options: ReadonlyMap<string, string>;
  /** Everything else, in order. */
  readonly words: readonly string[];
  /** An option without its value. */
  readonly incomplete: string | undefined;
}

/** Takes the options of `table` out of a line. `--` ends them. Unknown options stay among the words. */
export function parseOptions(argv: readonly string[], table: OptionTable): ParsedLine {
  const options = new Map<string, string>();
  const words: string[] = [];
  let incomplete: string | undefined;
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === '--') {
      words.push(...argv.slice(i + 1));
      break;
    }
    const [spelling, attached] = splitOption(word, table);
    const option = table[spelling];
    if (!option) {
      words.push(word);
      continue;
    }
    const [name, kind] = option;
    const before = kind === 'list' && options.has(name) ? `${options.get(name)},` : '';
    if (kind === 'flag') options.set(name, attached ?? 'true');
    else if (attached !== undefined) options.set(name, before + attached);
    else if (i + 1 < argv.length) options.set(name, before + argv[++i]!);
    else incomplete ??= spelling;
  }
  return { options, words, incomplete };
}

/** `--name=value` and `-nvalue` hold both. */
function splitOption(word: string, table: OptionTable): [string, string | undefined] {
  if (word in table) return [word, undefined];
  const long = /^(--[^=]+)=(.*)$/s.exec(word);
  if (long) return [long[1]!, long[2]!];
  const short = /^(-[A-Za-z])(.+)$/s.exec(word);
  if (short && (table[short[1]!]?.[1] ?? 'flag') !== 'flag') return [short[1]!, short[2]!];
  return [word, undefined];
}
