import { type RawString, textFromRaw } from '@spirula/encoding';
import { MalformedPolicy, type PolicyKind, parseNewPolicy } from '../iam/policy.ts';
import { s3Error } from '../s3/s3-errors.ts';

/** radosgw's bound of a policy's name. */
const MAX_NAME = 128;
const NAME = /^[A-Za-z0-9:=,.@-]+$/;

/** @throws S3Error MalformedPolicyDocument, which says what is wrong and where */
export function requirePolicy(document: RawString, kind: PolicyKind, tenant: RawString): void {
  try {
    parseNewPolicy(textFromRaw(document), kind, tenant);
  } catch (error) {
    if (error instanceof MalformedPolicy) throw s3Error('MalformedPolicyDocument', error.message);
    throw error;
  }
}

/** @throws S3Error InvalidInput */
export function requirePolicyName(name: RawString): void {
  if (name.length <= MAX_NAME && NAME.test(name)) return;
  throw s3Error('InvalidInput', `PolicyName: at most ${MAX_NAME} letters, digits and :=,.@-`);
}
