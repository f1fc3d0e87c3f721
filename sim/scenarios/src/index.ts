export { findScenario, listScenarios, type RunOptions, runScenario } from './registry.ts';
export { printReport, problemsOf, type Report } from './scenario.ts';
