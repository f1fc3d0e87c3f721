/** Words of a line in which faults are said: apart by blanks, but for what stands in quotes or brackets. */

/** A line that says no fault: names the word, and says what is expected. */
export class FaultSyntaxError extends Error {
  override readonly name = 'FaultSyntaxError';
}

export interface Word {
  /** Without its quotes. */
  readonly text: string;
  /** It was in quotes: no keyword, whatever it says. */
  readonly quoted: boolean;
  /** Of `key=value`. */
  readonly key: string | undefined;
}

const KEY = /^([A-Za-z]\w*)=(.*)$/s;
const PLAIN = /^[\w.,:/@+-]+$/;

/** @throws FaultSyntaxError when a quote or bracket is not closed */
export function splitWords(line: string): Word[] {
  return splitRaw(line).map((raw) => {
    if (raw.startsWith('"')) return { text: unquote(raw), quoted: true, key: undefined };
    const match = KEY.exec(raw);
    if (match === null) return { text: raw, quoted: false, key: undefined };
    const [, key, value] = match as unknown as [string, string, string];
    return value.startsWith('"') ? { text: unquote(value), quoted: true, key } : { text: value, quoted: false, key };
  });
}

function splitRaw(line: string): string[] {
  const words: string[] = [];
  let word = '';
  let depth = 0;
  let inQuotes = false;
  const end = () => {
    if (word !== '') words.push(word);
    word = '';
  };
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (inQuotes) {
      word += char;
      if (char === '\\') word += line[++i] ?? '';
      else if (char === '"') inQuotes = false;
    } else if (depth === 0 && /\s/.test(char)) end();
    else if (depth === 0 && char === '|') {
      end();
      words.push(char);
    } else {
      word += char;
      if (char === '"') inQuotes = true;
      else if (char === '{' || char === '[') depth += 1;
      else if (char === '}' || char === ']') depth -= 1;
    }
  }
  end();
  if (inQuotes || depth > 0) {
    throw new FaultSyntaxError(`${words.at(-1)}: a ${inQuotes ? 'quote' : 'bracket'} is not closed`);
  }
  return words;
}

function unquote(raw: string): string {
  try {
    return JSON.parse(raw) as string;
  } catch {
    throw new FaultSyntaxError(`${raw}: expected one text in quotes, as JSON has it`);
  }
}

/** In quotes when it would be read otherwise without. */
export function quoteWord(text: string, reserved: readonly string[] = []): string {
  return PLAIN.test(text) && !reserved.includes(text) ? text : JSON.stringify(text);
}
