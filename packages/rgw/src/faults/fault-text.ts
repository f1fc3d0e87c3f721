/** A fault rule in one line: `operation=GetObject,bucket=photos,probability=0.3,error=503`, or JSON. */
import { type FaultRule, parseFaultRule } from './fault-rule.ts';
import { FaultRuleError } from './fault-rule-error.ts';

/**
 * Fields as in `FaultRule`. Values have no commas: who needs one writes the rule as JSON.
 *
 * @throws FaultRuleError
 */
export function parseFaultText(text: string, operations: ReadonlySet<string>): FaultRule {
  if (text.trimStart().startsWith('{')) return parseFaultRule(parseJson(text), operations);
  const fields: Record<string, string> = Object.create(null);
  for (const part of text.split(',')) {
    const at = part.indexOf('=');
    if (at < 0) throw new FaultRuleError(`${part.trim() || 'nothing'}: give field=value, such as error=503`);
    const name = part.slice(0, at).trim();
    if (name in fields) throw new FaultRuleError(`${name} is given twice`);
    fields[name] = part.slice(at + 1).trim();
  }
  return parseFaultRule(fields, operations);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FaultRuleError(`This is no JSON: ${(error as Error).message}`);
  }
}
