/** Scenarios in YAML or JSON (which is YAML too), checked against their schema. */
import { isMap, isPair, LineCounter, type Node, type ParsedNode, parseDocument } from 'yaml';
import type { z } from 'zod';
import { type ScenarioSpec, scenarioSchema } from './spec.ts';

/** A scenario that cannot be run; each problem says where: `line 12, column 5: …`. */
export class BadScenario extends Error {
  override readonly name = 'BadScenario';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** @throws BadScenario */
export function readScenario(text: string): ScenarioSpec {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    throw new BadScenario(document.errors.map(({ pos: [at], message }) => `${place(lines, at)}: ${message}`));
  }
  const result = scenarioSchema.safeParse(document.toJS());
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap(explain).map(({ path, message }) => {
    const at = findNode(document.contents, path)?.range?.[0] ?? 0;
    const where = path.length === 0 ? '' : `${path.join('.')}: `;
    return { at, text: `${place(lines, at)}: ${where}${message}` };
  });
  throw new BadScenario(problems.sort((a, b) => a.at - b.at).map(({ text }) => text));
}

/** A scenario that a program made. @throws BadScenario */
export function checkScenario(input: unknown): ScenarioSpec {
  const result = scenarioSchema.safeParse(input);
  if (result.success) return result.data;
  const problems = result.error.issues.flatMap(explain);
  throw new BadScenario(
    problems.map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`)),
  );
}

interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** A name too many stands at the name itself. */
function explain(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, message: issue.message }];
  return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'there is no such field here' }));
}

/** The node at `path`, or the innermost that is there; of a field, its name. */
function findNode(root: ParsedNode | null, path: readonly PropertyKey[]): Node | undefined {
  let node: Node | undefined = root ?? undefined;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && String(item.key) === String(step));
      if (pair === undefined) return node;
      const value = pair.value as Node | null;
      node = step === path.at(-1) || value === null ? (pair.key as Node) : value;
    } else if (typeof step === 'number' && node !== undefined && 'items' in node) {
      node = (node as unknown as { items: Node[] }).items[step] ?? node;
    } else return node;
  }
  return node;
}

function place(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `line ${line}, column ${col}`;
}
