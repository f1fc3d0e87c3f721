/** Operations on images, counted by OSDs while a manager asks for it (mgr/OSDPerfMetricTypes.h). Private types. */
import type { PoolId, RawString } from '@spirula/encoding';
import {
  list,
  object,
  optional,
  type PrivateCodecs,
  privateMessage,
  rawString,
  type Schema,
  u32,
  uint,
} from './schema.ts';

/** Which operations are counted, those on each image by themselves (OSDPerfMetricQuery). */
export interface OsdPerfQuery {
  readonly id: number;
  /** The objects' pool; undefined: any. */
  readonly pool: PoolId | undefined;
  /** Undefined: any. */
  readonly namespace: RawString | undefined;
  /** So many images are reported at most that have most of one counter, for each counter (OSDPerfMetricLimit). */
  readonly maxImages: number;
}

/** The manager tells an OSD what it is to do for it (MMgrConfigure). */
export interface MgrConfigure {
  readonly type: 'mgr_configure';
  /** All that there are. */
  readonly perfQueries: readonly OsdPerfQuery[];
}

/** What was done since the last report. */
export interface OsdPerfCounters {
  readonly writeOps: number;
  readonly readOps: number;
  readonly writeBytes: number;
  readonly readBytes: number;
  /** Nanoseconds that the operations took, altogether. */
  readonly writeLatency: number;
  readonly readLatency: number;
}

export const NO_OSD_PERF: OsdPerfCounters = {
  writeOps: 0,
  readOps: 0,
  writeBytes: 0,
  readBytes: 0,
  writeLatency: 0,
  readLatency: 0,
};

export function sumOfOsdPerf(a: OsdPerfCounters, b: OsdPerfCounters): OsdPerfCounters {
  return {
    writeOps: a.writeOps + b.writeOps,
    readOps: a.readOps + b.readOps,
    writeBytes: a.writeBytes + b.writeBytes,
    readBytes: a.readBytes + b.readBytes,
    writeLatency: a.writeLatency + b.writeLatency,
    readLatency: a.readLatency + b.readLatency,
  };
}

/** An image as its data objects name it. */
export interface ImageKey {
  /** Where its header is. */
  readonly pool: PoolId;
  readonly namespace: RawString;
  readonly id: RawString;
}

export interface ImagePerf extends ImageKey {
  readonly counters: OsdPerfCounters;
}

/** Of one query (OSDPerfMetricReport). */
export interface OsdPerfReport {
  readonly query: number;
  readonly images: readonly ImagePerf[];
}

/** What an OSD has counted since it reported last (MMgrReport, osd_perf_metric_reports). */
export interface OsdPerfReports {
  readonly type: 'osd_perf_reports';
  readonly reports: readonly OsdPerfReport[];
}

export type OsdPerfMessage = MgrConfigure | OsdPerfReports;

const query: Schema<OsdPerfQuery> = object({
  id: uint,
  pool: optional(uint),
  namespace: optional(rawString),
  maxImages: u32,
});

const counters: Schema<OsdPerfCounters> = object({
  writeOps: uint,
  readOps: uint,
  writeBytes: uint,
  readBytes: uint,
  writeLatency: uint,
  readLatency: uint,
});

const report: Schema<OsdPerfReport> = object({
  query: uint,
  images: list<ImagePerf>(object({ pool: uint, namespace: rawString, id: rawString, counters })),
});

export const osdPerfCodecs = {
  mgr_configure: privateMessage(0x8204, { perfQueries: list(query) }),
  osd_perf_reports: privateMessage(0x8205, { reports: list(report) }),
} satisfies PrivateCodecs<OsdPerfMessage>;
