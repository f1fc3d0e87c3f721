export {
  type AdminAnswer,
  type AdminArgs,
  type AdminCommand,
  type AdminResult,
  adminCommand,
  lastingCommand,
  listOf,
  refuse,
  say,
  sayDocuments,
  sayText,
  textOf,
} from './admin-command.ts';
export { AdminSocket } from './admin-socket.ts';
export { PerfCounters, type PerfLogger } from './perf-counters.ts';
