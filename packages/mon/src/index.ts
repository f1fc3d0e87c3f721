export { Monitor, type MonitorOptions, type MonRole } from './monitor.ts';
