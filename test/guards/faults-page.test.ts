/** docs/simulator.md names every fault there is, with its fields. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { FAULT_SCHEMAS, FAULT_TEXTS, type FaultKind } from '../../sim/scenarios/src/faults/fault.ts';

const page = readFileSync(fileURLToPath(new URL('../../docs/simulator.md', import.meta.url)), 'utf8');

test.each(Object.keys(FAULT_SCHEMAS) as FaultKind[])('the page about the simulator explains %s', (kind) => {
  const fields = Object.keys(FAULT_SCHEMAS[kind].shape).filter((field) => field !== 'fault');
  const row = new RegExp(`^\\| \`${kind}\` +\\| (.*?) +\\| (.*?) +\\|$`, 'm').exec(page);

  expect(row?.[1]).toBe(fields.map((field) => `\`${field}\``).join(', '));
  expect(row?.[2]).toBe(FAULT_TEXTS[kind]);
});
