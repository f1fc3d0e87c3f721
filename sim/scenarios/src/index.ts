export { runScenario, scenarioNames } from './registry.ts';
export { printReport, type Report } from './scenario.ts';
