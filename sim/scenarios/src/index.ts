export { Lab } from './lab.ts';
export { BadScenario, checkScenario, readScenario } from './read-scenario.ts';
export { drawScenario, findScenario, listScenarios, type RunOptions, runScenario } from './registry.ts';
export { type Outcome, printReport, problemsOf, type Report, type Scenario } from './scenario.ts';
export { failureOf, type RunCandidates, type ShrinkProgress, shrink } from './shrink.ts';
export type { ScenarioInput, ScenarioSpec } from './spec.ts';
