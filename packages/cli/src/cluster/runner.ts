/** How a daemon is run: inside this process, or as a process of its own. */
export interface Runner {
  /** Resolves once the daemon has bound its ports and started; rejects with a one-line reason when it cannot. */
  start(daemon: string, onExit: (reason: string) => void): Promise<RunningDaemon>;
  /** All that a daemon which does not run has stored is given up. */
  discard(daemon: string): void;
}

export interface RunningDaemon {
  /** Orderly stop. */
  terminate(): Promise<void>;
  /** Crash: memory gone, sessions reset, listeners closed. */
  kill(): Promise<void>;
  /** Falls silent: nothing is read, answered or timed any more. */
  hang(): void;
  resume(): void;
  load(): Promise<DaemonLoad>;
}

export interface DaemonLoad {
  readonly pid: number;
  /** Event-loop delay in milliseconds since the last ask: mean and 99th percentile. Shared by all daemons of one process. */
  readonly loopDelayMeanMs: number;
  readonly loopDelayP99Ms: number;
  /** Longest single event handler in milliseconds since the last ask. */
  readonly longestHandlerMs: number;
}
