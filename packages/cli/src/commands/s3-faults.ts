import { LOOPBACK, readClusterFile } from '../cluster/cluster-file.ts';
import { notRunning, runsCluster } from '../cluster/control.ts';
import { readFaultTexts, S3Faults } from '../cluster/s3-faults.ts';
import { UserError } from '../cluster/user-error.ts';

/** The faults of each gateway of the cluster that runs in a folder. */
async function gatewaysOf(dir: string): Promise<S3Faults[]> {
  if (!(await runsCluster(dir))) throw notRunning(dir);
  const { rgws = [], bind = LOOPBACK } = readClusterFile(dir)!;
  if (rgws.length === 0) throw new UserError('This cluster has no object gateway.');
  return rgws.map(({ port }) => new S3Faults(`http://${bind}:${port}`));
}

/** `spirula s3-faults`. */
export async function listFaults(dir: string): Promise<void> {
  for (const gateway of await gatewaysOf(dir)) {
    for (const { id, rule, matches, firings } of await gateway.list()) {
      console.log(`${id}  matches ${matches}  firings ${firings}  ${JSON.stringify(rule)}`);
    }
  }
}

/** `spirula s3-faults add`. */
export async function addFaults(dir: string, texts: readonly string[]): Promise<void> {
  const rules = readFaultTexts(texts);
  for (const gateway of await gatewaysOf(dir)) {
    for (const rule of rules) console.log(`rule ${(await gateway.add(rule)).id} is set`);
  }
}

/** `spirula s3-faults clear`. */
export async function clearFaults(dir: string, id: number | undefined): Promise<void> {
  let removed = 0;
  for (const gateway of await gatewaysOf(dir)) removed += await gateway.clear(id);
  console.log(`${removed} removed`);
}
