import { int } from './option.ts';

/** What object gateways read. */
export const RGW_OPTIONS = {
  rgw_gc_processor_period: int(3600, 'time between looks for garbage that is due, in seconds', { services: ['rgw'] }),
  rgw_gc_obj_min_wait: int(7200, "how long an object's old data stay for who has begun to read them, in seconds", {
    services: ['rgw'],
  }),
  rgw_lc_debug_interval: int(-1, 'so many seconds are a day to lifecycle rules; -1: a day is one', {
    level: 'dev',
    services: ['rgw'],
  }),
};
