import type { Log } from '@spirula/world';
import { pino } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogConfig {
  /** The daemon's name, `osd.0`; in every line. */
  readonly name: string;
  readonly level: LogLevel;
  /** A file that is appended to; without it, standard error. */
  readonly path?: string;
}

const STDERR = 2;

/** One JSON object a line, through pino; written at once, so that a killed process has said what it said. */
export class NodeLog implements Log {
  readonly #destination: ReturnType<typeof pino.destination>;
  readonly #logger: pino.Logger;

  /** @throws the system's error when the file cannot be opened. */
  constructor(config: LogConfig) {
    this.#destination = pino.destination({ dest: config.path ?? STDERR, sync: true });
    this.#logger = pino({ name: config.name, level: config.level }, this.#destination);
  }

  debug(message: string, facts: Record<string, unknown> = {}): void {
    this.#logger.debug(facts, message);
  }

  info(message: string, facts: Record<string, unknown> = {}): void {
    this.#logger.info(facts, message);
  }

  warn(message: string, facts: Record<string, unknown> = {}): void {
    this.#logger.warn(facts, message);
  }

  error(message: string, facts: Record<string, unknown> = {}): void {
    this.#logger.error(facts, message);
  }

  close(): void {
    this.#destination.end();
  }
}
