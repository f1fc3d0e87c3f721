import { int, secs } from './option.ts';

/** What managers read. */
export const MGR_OPTIONS = {
  mgr_tick_period: secs(2, "time between a manager's signs of life to the monitors, in seconds", { services: ['mgr'] }),
  mgr_stats_period: int(5, 'time between reports to the manager, in seconds', { level: 'basic', services: ['mgr'] }),
};
