/** What is wrong with a fault rule, in one sentence that names the field. */
export class FaultRuleError extends Error {
  override readonly name = 'FaultRuleError';
}
