/** What a scenario says: plain data, made by TypeScript, read from YAML or JSON, or drawn from a seed. */
import { z } from 'zod';
import { clusterSchema, poolSchema } from './cluster-spec.ts';
import { isCondition } from './conditions.ts';
import { type Expectation, endOf, expectationSchema, HEAL, marksOf } from './expectation.ts';
import { span } from './faults/fault.ts';
import { planSchema } from './faults/plan.ts';
import { STORM_KINDS } from './faults/storm-kinds.ts';
import { gatewaySchema } from './gateways/gateway-spec.ts';
import { workloadSchema } from './workloads/workload-spec.ts';

const us = z.int().min(0);

/** Faults by seed: see storm-kinds.ts. */
const storm = z.strictObject({
  weights: z.partialRecord(z.enum(STORM_KINDS), us),
  intervalUs: z.int().min(1),
  durationUs: z.int().min(1),
  graceUs: z.int().min(1),
  maxMons: us,
  maxOsds: us,
});

const fields = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/, { error: 'a name of small letters, digits and dashes' }),
  /** The seed it is run under unless another is given. */
  seed: z.int().min(0).optional(),
  /** What somebody wants to know. */
  question: z.string().optional(),
  /** What to look at while it runs. */
  watch: z.array(z.string()).optional(),
  cluster: clusterSchema.prefault({}),
  pools: z.array(poolSchema).min(1).prefault([{}]),
  /** What every client does, side by side. */
  workloads: z.array(workloadSchema).prefault([{ kind: 'objects' }]),
  /** Object gateways and their clients, beside the workloads. */
  gateways: gatewaySchema.optional(),
  /** How long faults may strike, from when the cluster is up and clean. */
  duration: span.default('60s'),
  faults: z.array(planSchema).default([]),
  storm: storm.optional(),
  /** Hold faults back that could destroy what must survive: then nothing may be lost. */
  redundancyAware: z.boolean().default(false),
  /** Data may be lost, as long as the cluster says so: see reported-loss.ts. */
  mayLose: z.boolean().default(false),
  /** Take daemons' rare branches. */
  buggify: z.boolean().default(false),
  /** Within this after the faults everything must be right again. */
  healWithin: span.default('400s'),
  /** PGs' invariants are checked after one event in so many. */
  checkOneIn: z.int().min(1).default(10),
  expect: z.array(expectationSchema).default([]),
});

/** What expectations name must be there. */
export const scenarioSchema = fields.superRefine(({ faults, expect }, context) => {
  const names = new Set(faults.flatMap(({ name }) => (name === undefined ? [] : [name, endOf(name)]))).add(HEAL);
  for (const [i, expectation] of (expect as readonly Expectation[]).entries()) {
    for (const mark of marksOf(expectation)) {
      if (names.has(mark) || isCondition(mark)) continue;
      const message = `no fault is called ${mark}, and it is no condition`;
      context.addIssue({ code: 'custom', message, path: ['expect', i] });
    }
  }
});

/** A scenario as people write it: what is left out is as usual. */
export type ScenarioInput = z.input<typeof scenarioSchema>;
/** A scenario with nothing left out. */
export type ScenarioSpec = z.output<typeof scenarioSchema>;
