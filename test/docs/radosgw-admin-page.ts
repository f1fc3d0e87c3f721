/** docs/radosgw-admin.md: which commands of radosgw-admin are there; made from their table. */
import { ADMIN_COMMANDS } from '@spirula/rgw';

const NOT_HERE: readonly (readonly [commands: string, why: string])[] = [
  ['`bucket check --check-objects`', 'listings mend what they find in doubt; `--fix` counts the index anew'],
  ['`log list`, `log show`', 'there is no ops log'],
  ['`object stat`, `object unlink`, `object rewrite`', 'not yet'],
  ['`zonegroup get`, `zone set`, `period`, `realm`, `sync`', 'there is one zone, of no realm'],
  ['`user check`, `user rename`, `bucket chown`', 'not yet'],
];

export function radosgwAdminPage(): string {
  const commands = [...ADMIN_COMMANDS].sort().map((command) => `\`${command}\``);
  const missing = NOT_HERE.map(([names, why]) => `| ${names} | ${why} |`);
  return `# Administration of the object gateway

Made from the table of commands: \`UPDATE_DOCS=1 npx vitest run test/docs\` writes it anew.

## \`spirula radosgw-admin\`

Flags, documents, refusals and exit codes are those of radosgw-admin 16.2, on a spirula or a Ceph cluster. There are

${commands.join(', ')}.

\`gc list\` tells what gateways of spirula left; the queue that radosgw 16.2 keeps beside, \`radosgw-admin gc list\` tells.

| not here | why |
| --- | --- |
${missing.join('\n')}

## \`/admin\`

Ceph's Admin Operations API, in signed requests of users whose caps allow it (\`spirula radosgw-admin caps add --caps 'users=*;usage=read'\`):

| resource | operations | caps |
| --- | --- | --- |
| \`/admin/user\` | get, list, create, modify, remove (\`purge-data\`); \`key\`, \`subuser\`, \`caps\`, \`quota\`; \`stats\`, \`sync\` | \`users\` |
| \`/admin/bucket\` | get, list, \`stats\`, link, unlink, remove (\`purge-objects\`); \`policy\`, \`index\` (\`fix\`), \`quota\`, \`object\` | \`buckets\` |
| \`/admin/usage\` | show, trim | \`usage\` |
| \`/admin/metadata\` | kinds, names of each, entries of \`user\` and \`bucket\` | \`metadata\` |

Answers are JSON, with \`format=xml\` XML. \`test/interop/administration\` asks radosgw 16.2 and ours the same. A bucket named \`admin\`
cannot be reached by its path, as with radosgw.

## The usage log

Gateways count requests when they are started with \`--set rgw_enable_usage_log=true\` (off by default, as in Ceph), and write every
\`rgw_usage_log_tick_interval\` seconds, or when there are more than \`rgw_usage_log_flush_threshold\` counts. Bytes are those of bodies; radosgw adds those of
HTTP's chunks. \`GET /?usage\` tells users what they transferred, which radosgw 16.2 leaves empty.
`;
}
