/** Sent by clients on long operations (MPing); needs no answer. */
export interface Ping {
  readonly type: 'ping';
}
