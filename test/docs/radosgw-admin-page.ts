/** docs/radosgw-admin.md: which commands of radosgw-admin are there; made from their table. */
import { ADMIN_COMMANDS, REFUSED_ADMIN_COMMANDS } from '@spirula/rgw';

export function radosgwAdminPage(): string {
  const commands = [...ADMIN_COMMANDS].sort().map((command) => `\`${command}\``);
  const refused = REFUSED_ADMIN_COMMANDS.map(
    ({ commands: names, why }) => `| ${names.map((name) => `\`${name}\``).join(', ')} | ${why} |`,
  );
  return `# Administration of the object gateway

Made from the table of commands: \`UPDATE_DOCS=1 npx vitest run test/docs\` writes it anew.

## \`spirula radosgw-admin\`

Flags, documents, refusals and exit codes are those of radosgw-admin 16.2, on a spirula or a Ceph cluster. There are

${commands.join(', ')}.

What radosgw-admin 16.2 has beside is refused with exit code 95, and the reason:

| refused | why |
| --- | --- |
${refused.join('\n')}

Where ours does otherwise:

- documents are JSON: \`--format xml\` is refused, and so is \`bucket reshard --verbose\`;
- \`metadata put\` and \`metadata rm\` count the version of an entry on, where radosgw-admin stores the one that is given; an instance of a bucket
  is changed, not made;
- \`object rewrite\` and \`bucket rewrite\` leave which version is current, parts of objects, and parts of uploads that go on, which radosgw-admin 16.2 cuts
  short, as they are;
- \`object unlink\` finds the shard that has the entry, where radosgw-admin 16.2 looks in an index without shards only;
- \`bucket check --check-objects\` without \`--fix\` exits with 22.

\`gc list\` and \`gc process\` work on what gateways of spirula left and on the queues that radosgw 16.2 keeps beside. Data that a copy by radosgw shares go
with the last object that has them.

## \`/admin\`

Ceph's Admin Operations API, in signed requests of users whose caps allow it (\`spirula radosgw-admin caps add --caps 'users=*;usage=read'\`):

| resource | operations | caps |
| --- | --- | --- |
| \`/admin/user\` | get, list, create, modify, remove (\`purge-data\`); \`key\`, \`subuser\`, \`caps\`, \`quota\`; \`stats\`, \`sync\` | \`users\` |
| \`/admin/bucket\` | get, list, \`stats\`, link, unlink, remove (\`purge-objects\`); \`policy\`, \`index\` (\`fix\`), \`quota\`, \`object\` | \`buckets\` |
| \`/admin/usage\` | show, trim | \`usage\` |
| \`/admin/metadata\` | kinds, names of each; get, put, remove entries of \`user\`, \`bucket\`, \`bucket.instance\` | \`metadata\` |
| \`/admin/log\` | \`type=data\` and \`metadata\`: what a single zone answers; \`bucket-index\` with \`bucket-instance\`: list, \`info\`, trim | \`datalog\`, \`mdlog\`, \`bilog\` |
| \`/admin/config\` | \`type=zone\` | \`zone\` |

Answers are JSON, with \`format=xml\` XML. \`test/interop/administration\` asks radosgw 16.2 and ours the same. A bucket named \`admin\`
cannot be reached by its path, as with radosgw.

## The ops log

Gateways that are started with \`--set rgw_enable_ops_log=true\` append what every request to a bucket was to objects of the log pool, one for an hour and
a bucket (\`rgw_log_object_name\`), as radosgw does: \`log list\`, \`log show\` and \`log rm\` read those of either. Entries are written behind the answer; bytes are those
of bodies, times UTC. Requests that cannot be authenticated are not logged, owners of objects not named, and nothing is sent to a socket or a file
(\`rgw_ops_log_socket_path\`, \`rgw_ops_log_file_path\`), nor headers (\`rgw_log_http_headers\`).

## The usage log

Gateways count requests when they are started with \`--set rgw_enable_usage_log=true\` (off by default, as in Ceph), and write every
\`rgw_usage_log_tick_interval\` seconds, or when there are more than \`rgw_usage_log_flush_threshold\` counts. Bytes are those of bodies; radosgw adds those of
HTTP's chunks. \`GET /?usage\` tells users what they transferred, which radosgw 16.2 leaves empty.
`;
}
