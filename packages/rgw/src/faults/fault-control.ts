/**
 * Fault rules over HTTP, for programs on the same machine.
 *
 *   GET    /_spirula/faults        { "rules": [ { "id", "rule", "matches", "firings", "ageSeconds" } ] }
 *   POST   /_spirula/faults        a rule, or a list of rules, as JSON: those that were set, in the same form
 *   DELETE /_spirula/faults        all;  ?id=3  one: { "removed": 1 }
 *
 * No bucket can have this name: names of buckets have no `_`.
 */
import { fromUtf8, utf8 } from '@spirula/encoding';
import type { HttpResponse } from '../http.ts';
import type { S3Request } from '../s3/s3-request.ts';
import { readShortBody } from '../s3/xml-reader.ts';
import { FaultRuleError } from './fault-rule-error.ts';
import { type Faults, TooManyFaultRules } from './faults.ts';

export const CONTROL_BUCKET = '_spirula';
const CONTROL_KEY = 'faults';

export async function controlFaults(faults: Faults, request: S3Request): Promise<HttpResponse> {
  const { http, key, params } = request;
  if (!isLoopback(http.remoteAddr)) return problem(403, 'Only programs on the same machine may ask this');
  if (key !== CONTROL_KEY) return problem(404, `There is /${CONTROL_BUCKET}/${CONTROL_KEY}`);
  switch (http.method) {
    case 'GET':
      return json(200, { rules: faults.list() });
    case 'POST':
      return await addRules(faults, request);
    case 'DELETE':
      return removeRules(faults, params.get('id'));
    default:
      return problem(405, 'GET, POST or DELETE');
  }
}

async function addRules(faults: Faults, { http }: S3Request): Promise<HttpResponse> {
  // A page in a browser cannot send this type to another's address unasked.
  if (!/^application\/json\b/i.test(http.headers.get('content-type') ?? '')) {
    return problem(415, 'Send JSON, with Content-Type: application/json');
  }
  let given: unknown;
  try {
    given = JSON.parse(fromUtf8(await readShortBody(http.body)));
  } catch (error) {
    return problem(400, `This is no JSON: ${(error as Error).message}`);
  }
  try {
    return json(200, { rules: faults.add(Array.isArray(given) ? given : [given]) });
  } catch (error) {
    if (error instanceof FaultRuleError || error instanceof TooManyFaultRules) return problem(400, error.message);
    throw error;
  }
}

function removeRules(faults: Faults, id: string | undefined): HttpResponse {
  if (id === undefined) return json(200, { removed: faults.clear() });
  if (!/^\d{1,15}$/.test(id) || !faults.remove(Number(id))) return problem(404, `There is no rule ${id}`);
  return json(200, { removed: 1 });
}

function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\./.test(address) || address === '::1';
}

function json(status: number, value: unknown): HttpResponse {
  return { status, headers: [['Content-Type', 'application/json']], body: utf8(`${JSON.stringify(value)}\n`) };
}

function problem(status: number, error: string): HttpResponse {
  return json(status, { error });
}
