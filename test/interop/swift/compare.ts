/** One sequence of requests sent to two gateways, and where their answers differ. */
import { type SwiftStep, swiftSteps } from './sequence.ts';

export interface SwiftGateway {
  /** `http://127.0.0.1:7480` */
  readonly endpoint: string;
  readonly token: string;
  /** What tells its containers from the other's: as long as there. */
  readonly name: string;
}

interface Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

const COMPARED =
  /^(content-(type|length|range|disposition)|etag|location|last-modified|x-(timestamp|(object|container|account|storage|versions|copied|delete|static)-.*|delete-at))$/;
const TIMES = /^(last-modified|x-timestamp|x-copied-from-last-modified)$/;
/** radosgw counts what it has listed. */
const SUMS = /^x-account-.*(count|bytes-used|actual)$/;
const STAMP = /\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z|\d{10}\.\d{6}|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT/g;

/** Lines that tell of each difference that is not known, and of known ones that are none any more. */
export async function compareSwift(ours: SwiftGateway, theirs: SwiftGateway): Promise<string[]> {
  const problems: string[] = [];
  for (const step of swiftSteps) {
    const [a, b] = [await ask(ours, step), await ask(theirs, step)];
    const found = differences(a, b);
    const known = step.differs?.in ?? [];
    const told = JSON.stringify(step.headers ?? {});
    for (const each of found) {
      if (!known.includes(each.what)) problems.push(`${step.method} ${step.path} ${told}: ${each.what}: ${each.told}`);
    }
    if (known.length > 0 && found.length === 0) problems.push(`${step.method} ${step.path}: no difference any more`);
  }
  return problems;
}

async function ask({ endpoint, token, name }: SwiftGateway, step: SwiftStep): Promise<Answer> {
  const own = (text: string) => text.replaceAll('@', name);
  const given = Object.entries(step.headers ?? {}).map(([header, value]) => [header, own(value)] as const);
  const headers = Object.fromEntries([...(step.anonymous ? [] : [['x-auth-token', token] as const]), ...given]);
  const hasBody = step.body !== undefined && step.method !== 'GET' && step.method !== 'HEAD';
  const answer = await fetch(`${endpoint}/swift/v1${own(step.path)}`, {
    method: step.method,
    headers,
    redirect: 'manual',
    ...(hasBody && { body: Buffer.from(own(step.body!)) }),
  });
  const normal = (text: string) => text.replaceAll(name, '@').replace(STAMP, 'TIME');
  const compared = [...answer.headers].filter(([header]) => COMPARED.test(header));
  return {
    status: answer.status,
    headers: new Map(
      compared.map(([header, value]) => {
        if (TIMES.test(header)) return [header, 'TIME'];
        return [header, SUMS.test(header) ? 'SUM' : normal(value)];
      }),
    ),
    body: normal(await answer.text()),
  };
}

/** Of refusals only the status is compared: what radosgw says beside it are its own words. */
function differences(a: Answer, b: Answer): { readonly what: string; readonly told: string }[] {
  if (a.status !== b.status) return [{ what: 'status', told: `${a.status}, not ${b.status} ${b.body.slice(0, 80)}` }];
  if (a.status >= 300) return [];
  const names = [...new Set([...a.headers.keys(), ...b.headers.keys()])].sort();
  const found = names.flatMap((what) => {
    const [ours, theirs] = [a.headers.get(what), b.headers.get(what)];
    // Where nothing is sent, nothing need be said of it; and what is sent piece by piece has no length.
    if (what === 'content-type' && a.status === 204) return [];
    if (what === 'content-length' && (ours === undefined || theirs === undefined)) return [];
    return ours === theirs ? [] : [{ what, told: `${ours}, not ${theirs}` }];
  });
  return a.body === b.body ? found : [...found, { what: 'body', told: `${a.body}, not ${b.body}` }];
}
