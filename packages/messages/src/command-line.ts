/** Lines of commands, as clients send them (common/cmdparse.cc, cmdmap_from_json). */

/**
 * An object of JSON that says in `prefix` which command it is; undefined: the line is none. What follows the object is no matter:
 * `rbd perf image iostat` of 16.2 sends a quotation mark behind it.
 */
export function parseCommandLine(line: string): { readonly prefix: unknown } | undefined {
  const parsed = parse(line) ?? parse(line.slice(0, endOfObject(line)));
  const isCommand = typeof parsed === 'object' && parsed !== null && 'prefix' in parsed;
  return isCommand ? parsed : undefined;
}

/** Undefined: it is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Behind the brace that closes the first one. */
function endOfObject(text: string): number {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (token === '{') depth += 1;
    else if (token === '}') depth -= 1;
    if (token === '}' && depth === 0) return index + 1;
  }
  return 0;
}
