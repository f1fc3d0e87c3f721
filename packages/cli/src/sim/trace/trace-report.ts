/** A trace as one page for a browser: the entries, compressed, and the program that draws them. Opens from disk. */
import { gzipSync } from 'node:zlib';
import type { TraceEntry, TraceHeader } from '@spirula/sim-world';
import { UserError } from '../../cluster/user-error.ts';
import { escapeText } from '../../escape-text.ts';

/** Put in by the build, from `sim/report`. */
declare const SPIRULA_REPORT_SCRIPT: string | undefined;
declare const SPIRULA_REPORT_STYLE: string | undefined;

type Entry = Exclude<TraceEntry, TraceHeader>;

/** Entries that a browser draws with ease. Of a longer trace the page shows the last, and says so. */
const MAX_ENTRIES = 100_000;

/**
 * The page. Entries before `fromUs` are not shown, but how things stood then is: a PG's state began somewhere.
 *
 * @throws UserError when this program was not built.
 */
export async function makeReport(
  header: TraceHeader,
  batches: AsyncIterable<Entry[]>,
  fromUs: number,
  last = MAX_ENTRIES,
): Promise<string> {
  if (typeof SPIRULA_REPORT_SCRIPT !== 'string' || typeof SPIRULA_REPORT_STYLE !== 'string') {
    throw new UserError('Reports are made by the built program: run `npm run build`, then `npx spirula sim trace …`.');
  }
  const kept = await keep(batches, fromUs, Math.min(last, MAX_ENTRIES));
  const carried = [...kept.standing.values()].sort((a, b) => a.at - b.at || a.event - b.event);
  const facts = { header, total: kept.total, carried: carried.length };
  const lines = [facts, ...carried, ...kept.entries].map((line) => JSON.stringify(line));
  const trace = gzipSync(lines.join('\n'), { level: 9 }).toString('base64');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(header.scenario)}, seed ${header.seed}</title>
<link rel="icon" href="data:,">
<style>${SPIRULA_REPORT_STYLE}</style>
</head>
<body>
<script type="text/plain" id="trace">${trace}</script>
<script type="module">${SPIRULA_REPORT_SCRIPT}</script>
</body>
</html>
`;
}

interface Kept {
  readonly entries: readonly Entry[];
  /** Of what came before: the last word on each daemon, PG and fault. */
  readonly standing: ReadonlyMap<string, Entry>;
  /** Entries from `fromUs` on. */
  readonly total: number;
}

async function keep(batches: AsyncIterable<Entry[]>, fromUs: number, most: number): Promise<Kept> {
  const standing = new Map<string, Entry>();
  let entries: Entry[] = [];
  let total = 0;
  for await (const batch of batches) {
    for (const entry of batch) {
      if (entry.at < fromUs) stand(standing, entry);
      else {
        total += 1;
        entries.push(entry);
      }
    }
    if (entries.length < 2 * most) continue;
    for (const entry of entries.slice(0, -most)) stand(standing, entry);
    entries = entries.slice(-most);
  }
  for (const entry of entries.slice(0, -most)) stand(standing, entry);
  return { entries: entries.slice(-most), standing, total };
}

function stand(standing: Map<string, Entry>, entry: Entry): void {
  switch (entry.kind) {
    case 'pg':
      standing.set(`pg ${entry.pgid} ${entry.daemon}`, entry);
      break;
    case 'process':
    case 'mon':
    case 'boot':
      standing.set(`${entry.kind} ${entry.daemon}`, entry);
      break;
    case 'health':
      standing.set('health', entry);
      break;
    case 'fault':
      if (entry.what === 'injected') standing.set(`fault ${entry.id}`, entry);
      else standing.delete(`fault ${entry.id}`);
      break;
    case 'client':
      if (entry.what === 'request') standing.set(`request ${entry.id}`, entry);
      else standing.delete(`request ${entry.id}`);
      break;
  }
}
