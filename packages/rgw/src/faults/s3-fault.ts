import { OPERATION_NAMES } from '../s3/operations/routes.ts';
import { type FaultRule, parseFaultRule } from './fault-rule.ts';
import { parseFaultText } from './fault-text.ts';

/** A fault rule about the operations that there are: its fields, or a text. @throws FaultRuleError */
export function parseS3Fault(given: unknown): FaultRule {
  if (typeof given === 'string') return parseFaultText(given, OPERATION_NAMES);
  return parseFaultRule(given, OPERATION_NAMES);
}
