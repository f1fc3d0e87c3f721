/** Options the monitors set for the receiver (MConfig). Must be sent even when empty: clients wait for it. */
export interface ConfigMessage {
  readonly type: 'config';
  readonly config: ReadonlyMap<string, string>;
}
