/** Fault rules of the object gateways: from the command line and files, and asked of a gateway that serves. */
import { readFileSync } from 'node:fs';
import { type FaultReport, type FaultRule, FaultRuleError, parseS3Fault } from '@spirula/rgw';
import { parse } from 'yaml';
import { explainSystemError, UserError } from './user-error.ts';

/** Rules that `--s3-fault` gives. @throws UserError */
export function readFaultTexts(texts: readonly string[]): FaultRule[] {
  return texts.map((text) => readRule(text, `--s3-fault '${text}'`));
}

/**
 * The rules of a file: YAML (or JSON), a list of rules, each with its fields or as text.
 *
 * @throws UserError
 */
export function readFaultFile(path: string): FaultRule[] {
  let given: unknown;
  try {
    given = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new UserError(`${path}: there is no such file.`);
    if ((error as Error).name.startsWith('YAML')) throw new UserError(`${path}: ${(error as Error).message.trim()}`);
    throw explainSystemError(error, path);
  }
  if (!Array.isArray(given))
    throw new UserError(`${path}: give a list of rules, such as\n- { operation: GetObject, error: 503 }`);
  return given.map((rule, i) => readRule(rule, `${path}, rule ${i + 1}`));
}

function readRule(given: unknown, where: string): FaultRule {
  try {
    return parseS3Fault(given);
  } catch (error) {
    if (error instanceof FaultRuleError) throw new UserError(`${where}: ${error.message}.`);
    throw error;
  }
}

/** The fault rules of a gateway that serves. What it refuses is thrown as a UserError. */
export class S3Faults {
  readonly #url: string;

  constructor(endpoint: string) {
    this.#url = `${endpoint}/_spirula/faults`;
  }

  async add(rule: FaultRule): Promise<FaultReport> {
    const body = JSON.stringify(rule);
    const { rules } = await this.#ask<{ rules: [FaultReport] }>('POST', '', body);
    return rules[0];
  }

  async list(): Promise<readonly FaultReport[]> {
    return (await this.#ask<{ rules: FaultReport[] }>('GET')).rules;
  }

  /** One, or all; how many. */
  async clear(id?: number): Promise<number> {
    return (await this.#ask<{ removed: number }>('DELETE', id === undefined ? '' : `?id=${id}`)).removed;
  }

  async #ask<T>(method: string, query = '', body?: string): Promise<T> {
    let response: Response;
    try {
      response = await fetch(`${this.#url}${query}`, {
        method,
        ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } }),
      });
    } catch (error) {
      throw new UserError(`${this.#url} does not answer (${((error as Error).cause as Error | undefined)?.message}).`);
    }
    const answer = (await response.json()) as T & { readonly error?: string };
    if (!response.ok) throw new UserError(`${answer.error}.`);
    return answer;
  }
}
