/** Data files of a test (CrushTester::write_data_set_to_csv). */
import { formatFloat, utf8 } from '@spirula/encoding';
import type { CrushToolIo } from './tool-io.ts';

export interface TestData {
  /** Reweights, 16.16. */
  readonly weights: Uint32Array;
  /** Each device's share of all weight, and what it should store. */
  readonly shares: Float32Array;
  readonly expected: Float32Array;
  readonly stored: Uint32Array;
  /** Input, then devices. */
  readonly placements: readonly (readonly number[])[];
  /** What each device stored, batch by batch. */
  readonly batches: readonly Uint32Array[];
}

const DEVICES = 'Device ID, Number of Objects Stored, Number of Objects Expected';
const SHARES = 'Device ID, Proportional Weight';

/** Files that cannot be written are passed over, as there. `replicas`: how many columns placements have a heading for. */
export function writeCsvFiles(tag: string, replicas: number, data: TestData, io: CrushToolIo): void {
  const { weights, shares, expected, stored, placements, batches } = data;
  const use = Array.from(
    stored,
    (count, osd) => `${osd},${formatFloat(Math.fround(count))},${formatFloat(expected[osd]!)}`,
  );
  const used = use.filter((_, osd) => expected[osd]! > 0 && stored[osd]! > 0);
  const share = Array.from(shares, (each, osd) => `${osd},${formatFloat(each)}`);
  const osds = Array.from({ length: Math.max(0, replicas) }, (_, i) => `, OSD${i}`).join('');
  const files: [string, string, readonly string[]][] = [
    ['device_utilization', DEVICES, used],
    ['device_utilization_all', DEVICES, use],
    ['placement_information', `Input${osds}`, placements.map((row) => row.join(','))],
    ['proportional_weights', SHARES, share.filter((_, osd) => shares[osd]! > 0)],
    ['proportional_weights_all', SHARES, share],
    [
      'absolute_weights',
      'Device ID, Absolute Weight',
      Array.from(weights, (each, osd) => `${osd},${formatFloat(each / 0x10000)}`),
    ],
  ];
  if (batches.length > 1) {
    const heading = (what: string) => `Batch Round${used.map((_, i) => `, Objects ${what} on OSD${i}`).join('')}`;
    // 16.2.15 writes what was stored into both.
    const rows = batches.map((counts, batch) => [batch, ...counts].join(','));
    files.push(['batch_device_utilization_all', heading('Stored'), rows]);
    files.push(['batch_device_expected_utilization_all', heading('Expected'), rows]);
  }
  for (const [name, heading, rows] of files) {
    try {
      io.writeFile(`${tag}-${name}.csv`, utf8([heading, ...rows].map((row) => `${row}\n`).join('')));
    } catch (error) {
      if ((error as { errno?: number }).errno === undefined) throw error;
    }
  }
}
