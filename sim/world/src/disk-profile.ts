/** How long disks take. Bytes per second are powers of ten, as data sheets count. */
import type { Instant } from '@spirula/world';

export interface DiskProfile {
  /** A flush or a commit takes between these, in microseconds, once its bytes are written. */
  readonly flushUs: readonly [min: Instant, max: Instant];
  /** One flush in so many takes up to `stallUs` longer; 0: none does. */
  readonly stallOneIn: number;
  readonly stallUs: Instant;
  /** What reads, writes and bytes cost. Without it nothing but flushes takes time, and those do not wait for one another. */
  readonly device?: DeviceProfile;
}

/** One device with one queue: what is outstanding shares its bandwidth and its operations. */
export interface DeviceProfile {
  readonly readBytesPerSecond: number;
  readonly writeBytesPerSecond: number;
  /** Operations a second, of any size, when the queue is full. */
  readonly readIops: number;
  readonly writeIops: number;
  /** From the first byte asked for to the answer, when nothing else is outstanding, beside the transfer. */
  readonly readLatencyUs: Instant;
  readonly writeLatencyUs: Instant;
  /** A read waits for so many others at most; so many writes are put in order of the way of the arm. */
  readonly queueDepth: number;
  /** The moving parts; none in an SSD. */
  readonly arm?: ArmProfile;
}

export interface ArmProfile {
  /** Over a third of the disk, and over all of it. */
  readonly averageSeekUs: Instant;
  readonly fullSeekUs: Instant;
  /** A write waits longer than a read until the arm is still. */
  readonly writeSettleUs: Instant;
  /** One turn. */
  readonly rotationUs: Instant;
}

export const QUICK_DISK: DiskProfile = { flushUs: [100, 1000], stallOneIn: 0, stallUs: 0 };

/**
 * A hard disk of 7,200 turns a minute: 4 KiB at random in 11.2 ms (89 a second) one at a time, about 250 a second at depth 32.
 *
 * Source: ceph-tools, models/performance/SimDisk.py, class Disk: 150 MB/s, seek 7 ms on average and 14 ms in full, 0.6 ms more
 * for writes, 32 queued operations. Its drive writes back; here what a flush covers is on the platter when it comes back.
 */
export const HDD_7200: DiskProfile = {
  flushUs: [0, 500],
  stallOneIn: 0,
  stallUs: 0,
  device: {
    readBytesPerSecond: 150_000_000,
    writeBytesPerSecond: 150_000_000,
    // What the arm allows is less.
    readIops: 10_000,
    writeIops: 10_000,
    readLatencyUs: 0,
    writeLatencyUs: 0,
    queueDepth: 32,
    arm: { averageSeekUs: 7000, fullSeekUs: 14_000, writeSettleUs: 600, rotationUs: 8333 },
  },
};

/**
 * A SATA SSD for servers: capacitors back its cache, so that a flush is little more than a round trip.
 *
 * Source: Intel SSD DC S3500 product specification, 480 GB: 500 and 410 MB/s, 75,000 and 11,000 operations of 4 KiB a second,
 * latency 50 and 65 us. Depth 32 is all that SATA's native command queue has. Flush: of the order of tens to hundreds of
 * microseconds where power loss is provided for (M. Callaghan, "SSDs, power loss protection and fsync latency", 2026).
 */
export const SATA_SSD: DiskProfile = {
  flushUs: [50, 300],
  stallOneIn: 0,
  stallUs: 0,
  device: {
    readBytesPerSecond: 500_000_000,
    writeBytesPerSecond: 410_000_000,
    readIops: 75_000,
    writeIops: 11_000,
    readLatencyUs: 50,
    writeLatencyUs: 65,
    queueDepth: 32,
  },
};

/**
 * An NVMe SSD for servers.
 *
 * Source: Samsung PM983 data sheet (rev. 1.0, 2018), 1.92 TB: 540,000 and 50,000 operations of 4 KiB a second, latency 85 and
 * 50 us; 3,200 and 2,000 MB/s. Flush: 12 to 58 us as measured on drives with power loss protection (M. Callaghan, as above).
 * The protocol allows 65,535 commands a queue; the drive's rate is reached with far fewer.
 */
export const NVME_SSD: DiskProfile = {
  flushUs: [12, 58],
  stallOneIn: 0,
  stallUs: 0,
  device: {
    readBytesPerSecond: 3_200_000_000,
    writeBytesPerSecond: 2_000_000_000,
    readIops: 540_000,
    writeIops: 50_000,
    readLatencyUs: 85,
    writeLatencyUs: 50,
    queueDepth: 256,
  },
};
