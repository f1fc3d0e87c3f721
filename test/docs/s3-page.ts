/** docs/s3.md: which of AWS's operations the object gateway has, and which tests call them; made from its routes and the tests. */
import { readdirSync, readFileSync } from 'node:fs';
import * as sdk from '@aws-sdk/client-s3';
import { OPERATION_NAMES } from '../../packages/rgw/src/s3/operations/routes.ts';

const TESTS = ['e2e', 'interop'];
const SUFFIX = 'Command';

/** Files with tests, by the operations that they call through the SDK. */
function callers(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const folder of TESTS) {
    const dir = new URL(`../${folder}/`, import.meta.url);
    for (const file of readdirSync(dir)
      .filter((name) => name.endsWith('.test.ts'))
      .sort()) {
      const text = readFileSync(new URL(file, dir), 'utf8');
      const called = new Set([...text.matchAll(/\bnew (\w+)Command\(/g)].map(([, operation]) => operation!));
      for (const operation of called) {
        found.set(operation, [...(found.get(operation) ?? []), `${folder}/${file.replace('.test.ts', '')}`]);
      }
    }
  }
  return found;
}

/** All that the SDK knows, but what it sends to other services than S3's buckets. */
function operations(): string[] {
  return Object.keys(sdk)
    .filter((name) => name.endsWith(SUFFIX) && !name.startsWith('$'))
    .map((name) => name.slice(0, -SUFFIX.length))
    .sort();
}

export function s3Page(): string {
  const tests = callers();
  const all = operations();
  const here = all.filter((name) => OPERATION_NAMES.has(name));
  const missing = all.filter((name) => !OPERATION_NAMES.has(name));
  const others = [...OPERATION_NAMES].filter((name) => !all.includes(name)).sort();
  const rows = here.map((name) => `| \`${name}\` | ${(tests.get(name) ?? []).join(', ')} |`);
  return `# S3: what the object gateway has

Made from the gateway's routes and from the tests: \`UPDATE_DOCS=1 npx vitest run test/docs\` writes it anew.

Of the ${all.length} operations that the AWS SDK for JavaScript knows, ${here.length} are here. Besides the SDK's, tests run boto3, s3cmd and rclone
(\`test/interop/s3-clients\`), and radosgw 16.2 beside our gateway on one zone (\`test/interop/radosgw-beside\`).

| operation | tests that call it |
| --- | --- |
${rows.join('\n')}

Beyond the SDK: ${others.map((name) => `\`${name}\``).join(', ')}. Browsers' preflights (\`OPTIONS\`) are answered by the bucket's CORS rules.
Where a bucket's log is to go (\`PutBucketLogging\`) is kept and told; no gateway writes such a log.

## Not here

These are answered \`501 NotImplemented\`, and change nothing:

${missing.map((name) => `\`${name}\``).join(', ')}.
`;
}
