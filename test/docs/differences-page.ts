/** docs/differences.md: where clients are answered otherwise than by Ceph 16.2, from the tables that the comparisons keep. */
import type { Topic } from '../interop/commands/topic.ts';
import { topics } from '../interop/commands/topics.ts';
import { knownDifferences, programs } from '../interop/librados/known-differences.ts';
import { topics as imageTopics } from '../interop/rbd/topics.ts';
import { s3Tests, s3TestsNotPassed } from '../interop/s3/s3-tests.ts';
import { accessScenarios, accessSteps, knownAccess, onlyOursRefuses } from '../interop/swift/access-scenarios.ts';
import { swiftSteps } from '../interop/swift/sequence.ts';

export function differencesPage(): string {
  const lines = topics.reduce((sum, { steps }) => sum + steps.length, 0);
  const imageLines = imageTopics.reduce((sum, { steps }) => sum + steps.length, 0);
  const imageRows = imageTopics.flatMap(ofTopic);
  const imageDifferences =
    imageRows.length === 0 ? 'Nothing differs.' : `\n\n| line | why |\n| --- | --- |\n${imageRows.join('\n')}`;
  return `# Where answers differ from Ceph 16.2

\`test/interop\` sends the same ${lines} lines of \`ceph\` and the same ${programs.length} librados programs to a real Ceph 16.2 cluster and to one of ours,
and compares return codes, errors and output, but for times, ids, addresses and sizes on disk. What follows is all that differs.
What is not supported at all is in [commands.md](commands.md).

This page is made from the comparisons' own tables, each entry of which must still differ: \`UPDATE_DOCS=1 npx vitest run test/docs\`
writes it anew.

## Ceph's own tests of librados

Those of its interface (\`src/test/librados\`, without erasure-coded pools, as of Ceph 15 and built against 16.2's library) were run on
2026-11-30: of 256 that passed on Ceph 16.2, 249 passed here. The others need cache tiers (2), or
what is here since then: the object class \`rbd\` (4), a monitor that passes commands on to the manager (1). Of Python's (\`test_rados.py\`) 71 of 73 did; missing are erasure-coded pools and
cache tiers.

## Ceph's own tests of S3

\`s3-tests\`, the suite that Ceph holds radosgw to, was run on 2026-12-01 against radosgw 16.2.15 and this gateway: the branch for Pacific
with boto3 1.26, which signed version 2 as the suite asks (as botocore before 1.28), the newest with boto3 1.43.

| tests | radosgw | here |
| --- | --- | --- |
${s3Tests.map(({ tests, of, radosgw, here }) => row(`${tests} (${of})`, String(radosgw), String(here))).join('\n')}

What radosgw passes and this gateway does not:

| test | why |
| --- | --- |
${s3TestsNotPassed.map(({ test, reason }) => row(`\`${test}\``, reason)).join('\n')}

Of the first suite's others that neither passes, most cannot be passed: they ask boto3 for what it refuses by itself, change headers before
it signs them anew, or name a host of their own.

## Commands

| line | why |
| --- | --- |
${topics.flatMap(ofTopic).join('\n')}

A star stands for any rest of the line.

## librados

| program | steps | why |
| --- | --- | --- |
${knownDifferences.map(({ program, steps, reason }) => row(program, steps.join('; '), reason)).join('\n')}

## Images

Debian's \`rbd\`, \`qemu-img\`, \`qemu-io\`, \`fio\` and python3-rbd are given the same ${imageLines} lines on both clusters; beside what they print, names,
data, xattrs and omap of all objects in the pools are compared, but for times and ids. ${imageDifferences}

## Swift

Debian's radosgw and our gateway are sent the same ${swiftSteps.length} requests; statuses, headers and bodies are compared, of refusals the status. \`@\`
stands for what tells the containers of one from the other's. radosgw could not be asked about archives and forms without the name of
a file: 16.2.15 ends by a segmentation fault.

| request | what differs | why |
| --- | --- | --- |
${swiftSteps.flatMap(({ method, path, differs }) => (differs ? [row(`\`${method} ${path}\``, differs.in.join(', '), differs.because)] : [])).join('\n')}

Who may do what is compared by ${accessSteps.length} requests under each of ${accessScenarios.length} policies and ACLs:

| who | asks | why it differs |
| --- | --- | --- |
${knownAccess.map(accessRow).join('\n')}

Of S3's operations that a subuser signs who may only read, ${onlyOursRefuses.map((name) => `\`${name}\``).join(', ')} are refused here, and done by radosgw.
`;
}

function accessRow({ scenarios, steps, because }: (typeof knownAccess)[number]): string {
  const who = accessScenarios.map(({ name }) => name).filter((name) => scenarios.test(name));
  const asked = accessSteps.map(({ name }) => name).filter((name) => steps.test(name));
  const listed = (names: readonly string[], all: number) => (names.length === all ? 'all' : names.join('; '));
  return row(listed(who, accessScenarios.length), listed(asked, accessSteps.length), because);
}

function ofTopic({ known = [] }: Topic): string[] {
  return known.flatMap(({ lines, reason }) => lines.map((line) => row(`\`${line}\``, reason)));
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
