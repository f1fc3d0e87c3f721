import { type Bytes, Decoder, EMPTY, Encoder } from '@spirula/encoding';
import { decodeMessage, encodeMessage, type HealthCheck, type MonMgrReport, type PgMapDigest } from '@spirula/messages';
import { invariant } from '@spirula/world';
import type { MonTransaction } from './mon-store.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';

const PREFIX = 'mgrstat';
const NO_CHECKS: ReadonlyMap<string, HealthCheck> = new Map();

/**
 * What the active manager reported last: the PG map's digest and its health checks (mon/MgrStatMonitor.cc). Under Paxos,
 * so that a new leader does not take a cluster for healthy only because no manager has spoken to it yet.
 */
export class MgrStatMonitor implements PaxosService {
  readonly #context: ServiceContext;
  #version = 0;
  /** Read from the store when it is first asked for. */
  #report: MonMgrReport | undefined;
  #pending: MonMgrReport | undefined;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  get dirty(): boolean {
    return this.#pending !== undefined;
  }

  /** Undefined until a manager has reported. */
  get digest(): PgMapDigest | undefined {
    return this.#newest()?.digest;
  }

  get checks(): ReadonlyMap<string, HealthCheck> {
    return this.#newest()?.checks ?? NO_CHECKS;
  }

  onReport(report: MonMgrReport): void {
    this.#pending = report;
    this.#context.changed();
  }

  refresh(): void {
    const version = this.#context.store.getNumber(PREFIX, 'version');
    if (version === this.#version) return;
    this.#version = version;
    this.#report = undefined;
  }

  onLeading(): void {
    this.#pending = undefined;
  }

  encodePending(transaction: MonTransaction): void {
    transaction.put(PREFIX, 'report', encodeReport(this.#pending!));
    transaction.putNumber(PREFIX, 'version', this.#version + 1);
    this.#pending = undefined;
  }

  #newest(): MonMgrReport | undefined {
    if (this.#version > 0 && this.#report === undefined) {
      const bytes = this.#context.store.get(PREFIX, 'report');
      invariant(bytes !== undefined, 'a report that was committed is in the store');
      this.#report = decodeReport(bytes);
    }
    return this.#report;
  }
}

/** As it was sent: head and front. */
function encodeReport(report: MonMgrReport): Bytes {
  const { code, version, compat, front, data } = encodeMessage(report);
  invariant(data.length === 0, 'a report has no data beside its front');
  const to = new Encoder(front.length + 16);
  to.u32(code);
  to.u16(version);
  to.u16(compat);
  to.blob(front);
  return to.finish();
}

function decodeReport(bytes: Bytes): MonMgrReport {
  const from = new Decoder(bytes);
  const report = decodeMessage({
    code: from.u32('report.code'),
    version: from.u16('report.version'),
    compat: from.u16('report.compat'),
    tid: 0n,
    front: from.blob('report.front'),
    middle: EMPTY,
    data: EMPTY,
  });
  invariant(report.type === 'mon_mgr_report', 'a report is stored as one');
  return report;
}
