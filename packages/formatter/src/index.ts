export {
  clientIoPhrase,
  clientIoShortPhrase,
  dumpClientIo,
  dumpRecovery,
  dumpRecoveryRate,
  type IoRates,
  recoveryPhrases,
  recoveryRatePhrase,
} from './io-summary.ts';
export {
  dumpCrushTree,
  dumpOsdTree,
  dumpStray,
  isDestroyed,
  printCrushTree,
  printOsdTree,
  type TreeItem,
  treeOf,
  weightSetName,
} from './osd-tree.ts';
export { dumpPgStat, dumpSnapIntervals, dumpStatSum } from './pg-stat-dump.ts';
export { allPgStates, comparePgStates, hasPgState, isPgState, pgStates, staleState, UNKNOWN } from './pg-state.ts';
export { type Entry, formatSection, type Section, sectionOf } from './sections.ts';
export { type Alignment, type Column, column, formatTable } from './text-table.ts';
export {
  formatBytes,
  formatCount,
  formatFixed,
  formatLowPrecision,
  formatPercentage,
  formatSpan,
  formatStamp,
  secondsOf,
} from './units.ts';
