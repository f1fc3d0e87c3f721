/** Asks a monitor for the MonMap (MMonGetMap). */
export interface MonGetMap {
  readonly type: 'mon_get_map';
}
