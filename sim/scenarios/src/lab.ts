/**
 * One run of a scenario under one seed.
 *
 *     boot --> faults and work --> heal, still at work --> at rest: clean, answered, agreed, alike
 *
 * `run` goes through to the verdict. Who steps through it (`boot`, then `course`, or `advance` and `finish`) sees the same
 * history.
 */
import { fromUtf8, type RawString } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import { type LogLine, type SimProcess, Simulation } from '@spirula/sim-world';
import { type Instant, invariant, SECOND, type WorldEvent } from '@spirula/world';
import { BootFailure, bootCluster } from './bootstrap.ts';
import { Checkers } from './checkers/checkers.ts';
import { findUntrueHealth } from './checkers/health-truth.ts';
import { findUnreported, isIn } from './checkers/reported-loss.ts';
import { SimCluster } from './cluster.ts';
import { type Condition, type Moment, parseCondition } from './conditions.ts';
import { endOf, HEAL } from './expectation.ts';
import { Expectations } from './expectations.ts';
import { Injector } from './faults/injector.ts';
import { type FaultPlan, faultOf } from './faults/plan.ts';
import { RedundancyGuard } from './faults/redundancy.ts';
import { Storm } from './faults/storm.ts';
import { GatewayWork } from './gateways/gateway-work.ts';
import { sendCommand } from './operator.ts';
import { networkOf } from './profiles.ts';
import type { Outcome } from './scenario.ts';
import { inSeconds, parseSpan } from './span.ts';
import type { ScenarioSpec } from './spec.ts';
import type { WorkloadClient } from './workloads/workload-client.ts';

/** Clients go on for so long after the faults. */
const WORK_ON: Instant = 10 * SECOND;
/** No write takes longer to be durable, on the slowest disk. */
const SETTLE_TIME: Instant = 5 * SECOND;
/** How long a PG that reports a loss is given to find what it misses. */
const LOSS_PATIENCE: Instant = 60 * SECOND;
/** How often, and how many times, `ceph health` is asked for what it should say. */
const HEALTH_INTERVAL: Instant = 5 * SECOND;
const HEALTH_TRIES = 12;
/** How long what gateways keep may take to be looked at, beside the time of a lock. */
const GATEWAY_PATIENCE: Instant = 1200 * SECOND;
const STEP: Instant = SECOND / 2;
const LOG_LINES = 60;

/** A fault that waits for a condition. */
interface Trap {
  readonly condition: Condition;
  readonly plan: FaultPlan;
  left: number;
  /** It must cease to hold before it can strike again. */
  sprung: boolean;
}

export class Lab {
  readonly spec: ScenarioSpec;
  readonly simulation: Simulation;
  readonly cluster: SimCluster;
  readonly injector: Injector;
  readonly #storm: Storm | undefined;
  readonly #checkers: Checkers;
  readonly #expectations: Expectations;
  readonly #traps: Trap[] = [];
  #gateways: GatewayWork | undefined;
  #began: Instant | undefined;
  #healedAfter: Instant = 0;
  #onMoment: ((moment: Moment) => void) | undefined;
  #loggedSeen = 0;

  constructor(spec: ScenarioSpec, seed: number) {
    this.spec = spec;
    this.simulation = new Simulation({ seed, network: networkOf(spec.cluster), buggify: spec.buggify });
    this.cluster = new SimCluster(this.simulation, spec);
    const guard = spec.redundancyAware ? new RedundancyGuard(this.cluster, () => this.injector.active) : undefined;
    this.injector = new Injector(this.cluster, guard);
    this.#storm = spec.storm && new Storm(this.cluster, spec.storm, this.injector);
    this.#checkers = new Checkers(this.cluster, spec.checkOneIn, spec.mayLose);
    this.#expectations = new Expectations(this.cluster, spec.expect);
    this.injector.onInjected = (_, name) => {
      if (name !== undefined) this.#expectations.onMark(name);
    };
    this.injector.onEnded = (name) => this.#expectations.onMark(endOf(name));
    this.simulation.onEvent((process, event) => this.#afterEvent(process, event));
  }

  /** Of a scenario without gateways: see `play`. */
  run(): Outcome {
    invariant(this.spec.gateways === undefined, 'work with gateways hangs on promises');
    const failure = this.boot();
    if (failure !== undefined) return this.#outcome([failure]);
    return this.#follow(this.course());
  }

  /** As `run`, and promises that hang on events are settled in between. */
  async play(): Promise<Outcome> {
    if (this.spec.gateways === undefined) return this.run();
    const failure = this.boot();
    if (failure !== undefined) return this.#outcome([failure]);
    const course = this.course();
    for (;;) {
      const { done, value } = course.next();
      if (done) return value;
      await this.simulation.runWithPromises(value);
    }
  }

  /** When faults end, in virtual time; the cluster must be up. */
  get faultsEnd(): Instant {
    return this.#began! + parseSpan(this.spec.duration)!;
  }

  /** When the cluster was up and faults began. */
  get began(): Instant {
    return this.#began!;
  }

  /** Brings the cluster up, and lets clients and faults begin. Returns why it does not come up, if it does not. */
  boot(): string | undefined {
    try {
      bootCluster(this.cluster);
    } catch (error) {
      if (!(error instanceof BootFailure)) throw error;
      return error.message;
    }
    this.#began = this.simulation.now;
    this.injector.begin();
    for (const { process, daemon } of this.cluster.clients) process.call(() => daemon!.beginWork(this.cluster.pool));
    if (this.spec.gateways) this.#gateways = new GatewayWork(this.cluster, this.spec.gateways, this.injector);
    this.#gateways?.begin();
    for (const [i, plan] of this.spec.faults.entries()) this.#schedule(plan, i);
    this.#storm?.begin();
    this.#expectations.begin();
    return undefined;
  }

  /** Calls `listener` after every event from now on. */
  watch(listener: ((moment: Moment) => void) | undefined): void {
    this.#onMoment = listener;
  }

  /** Lets time pass until `until`, or until something is violated. */
  advance(until: Instant): void {
    this.#follow(this.#stretches(until - this.simulation.now, () => false));
  }

  /** From the end of the faults to the verdict. */
  finish(): Outcome {
    return this.#follow(this.#finishing());
  }

  /** What comes after `boot`: yields until when time is to pass, again and again; returns the verdict. */
  *course(): Generator<Instant, Outcome, void> {
    yield* this.#stretches(this.faultsEnd - this.simulation.now, () => false);
    return yield* this.#finishing();
  }

  *#finishing(): Generator<Instant, Outcome, void> {
    const { clients } = this.cluster;
    this.#storm?.end();
    this.#traps.length = 0;
    this.injector.heal();
    this.#expectations.onMark(HEAL);
    const healedAt = this.simulation.now;
    yield* this.#stretches(WORK_ON, () => false);
    this.injector.takeBackAgain();
    for (const { daemon } of clients) daemon!.stopWork();
    this.#gateways?.pause();
    const healTime = parseSpan(this.spec.healWithin)!;
    yield* this.#stretches(healTime, () => this.#findUnrest().length === 0);
    // What seems to be lost may be found yet.
    if (this.#checkers.reportedLosses().size > 0) {
      yield* this.#stretches(LOSS_PATIENCE, () => false);
      yield* this.#stretches(healTime, () => this.#findUnrest().length === 0);
    }
    this.#healedAfter = this.simulation.now - healedAt;
    const unrest = this.#findUnrest();
    if (unrest.length > 0) return this.#outcome(unrest);

    const [{ process, daemon }] = clients as [(typeof clients)[number]];
    const losses = this.#checkers.reportedLosses();
    process.call(() => daemon!.readAll((object) => !isIn(this.cluster, losses, object)));
    yield* this.#stretches(healTime, () => this.#awaited(daemon!).length === 0);
    const unread = this.#awaited(daemon!).length;
    if (unread > 0) return this.#outcome([`${unread} final reads are not answered`]);
    if (this.spec.mayLose) {
      // What was read may have turned out to be bad, and is recovered or reported now.
      yield* this.#stretches(healTime, () => this.#findUnrest().length === 0);
      const unreported = yield* this.#findUnreported();
      if (unreported.length > 0) return this.#outcome(unreported);
    }
    if (this.#gateways) {
      const answered = yield* this.#await(this.#gateways.check());
      if (!answered) return this.#outcome([`what gateways keep cannot be looked at`]);
    }
    // What the last writes let go of is free once they are durable.
    yield* this.#stretches(SETTLE_TIME, () => false);
    const untrue = yield* this.#findUntrueHealth();
    // Meanwhile an OSD may have come back, and a commit may be on its way to a monitor.
    yield* this.#stretches(healTime, () => this.#findUnrest().length === 0);
    const late = [...this.#findUnrest(), ...untrue];
    if (late.length > 0) return this.#outcome(late);
    if (this.spec.mayLose) this.cluster.abandonRequests();
    for (const problem of this.#checkers.atRest()) this.simulation.addViolation(problem);
    return this.#outcome([]);
  }

  /** False: it is not settled in time, or something is violated. */
  *#await(promise: Promise<void>): Generator<Instant, boolean, void> {
    let isSettled = false;
    const settled = () => {
      isSettled = true;
    };
    promise.then(settled, (error: Error) => {
      this.simulation.addViolation(error.stack ?? error.message);
      settled();
    });
    yield* this.#stretches(GATEWAY_PATIENCE, () => isSettled);
    return isSettled;
  }

  /** PGs that report a loss must be seen in `ceph health` as well, once statistics have got there. */
  *#findUnreported(): Generator<Instant, string[], void> {
    let checks: readonly string[] = [];
    const unreported = () => findUnreported(this.#checkers.reportedLosses().values(), checks);
    for (let tries = 0; tries < HEALTH_TRIES && unreported().length > 0; tries++) {
      sendCommand(this.cluster, { prefix: 'health', format: 'json' }, ({ code, data }) => {
        if (code === 0) checks = Object.keys((JSON.parse(fromUtf8(data)) as { readonly checks: object }).checks);
      });
      yield* this.#stretches(HEALTH_INTERVAL, () => false);
    }
    return unreported().map((check) => `PGs report a loss, and "ceph health" shows no ${check}`);
  }

  /** What is told of health is true, once statistics have got there. */
  *#findUntrueHealth(): Generator<Instant, string[], void> {
    const untrue = () => findUntrueHealth(this.cluster);
    for (let tries = 0; tries < HEALTH_TRIES && untrue().length > 0; tries++) {
      yield* this.#stretches(HEALTH_INTERVAL, () => untrue().length === 0);
    }
    return untrue();
  }

  // Faults that are planned

  #schedule(plan: FaultPlan, index: number): void {
    const inject = () => {
      this.injector.inject(faultOf(plan), {
        ...(plan.for !== undefined && { forUs: parseSpan(plan.for)! }),
        ...(plan.name !== undefined && { name: plan.name }),
      });
    };
    if (plan.at !== undefined) this.injector.later(parseSpan(plan.at)!, () => this.#afterThisMoment(inject));
    else if (plan.every !== undefined) this.#repeat(plan, index, inject);
    else {
      const left = plan.times ?? 1;
      this.#traps.push({ condition: parseCondition(plan.when!), plan, left, sprung: false });
    }
  }

  /**
   * When all that was to happen now has happened, and what follows from it at once. So a fault that struck just after an event,
   * in the same microsecond, strikes there again when only its time is known.
   */
  #afterThisMoment(run: () => void): void {
    this.injector.later(0, () => this.injector.later(0, run));
  }

  #repeat(plan: FaultPlan, index: number, inject: () => void): void {
    const random = this.simulation.random(`fault plan ${index}`);
    const every = parseSpan(plan.every!)!;
    const jitter = plan.jitter === undefined ? 0 : parseSpan(plan.jitter)!;
    let left = plan.times ?? Number.POSITIVE_INFINITY;
    let due = 0;
    const next = () => {
      due += every;
      const at = due + (jitter === 0 ? 0 : random.between(-jitter, jitter));
      this.injector.later(Math.max(0, this.began + at - this.simulation.now), () => {
        inject();
        left -= 1;
        if (left > 0) next();
      });
    };
    next();
  }

  #spring(moment: Moment): void {
    for (const trap of this.#traps) {
      if (trap.left === 0) continue;
      const { concerns } = trap.condition;
      if (concerns !== undefined && !concerns.includes(moment.process.spec.entity.type)) continue;
      const holds = trap.condition.holds(this.cluster, moment);
      if (holds && !trap.sprung) {
        trap.left -= 1;
        const { plan } = trap;
        // Not in a daemon's turn.
        this.injector.later(plan.after === undefined ? 0 : parseSpan(plan.after)!, () => {
          this.injector.inject(faultOf(plan), {
            why: trap.condition.text,
            ...(plan.for !== undefined && { forUs: parseSpan(plan.for)! }),
            ...(plan.name !== undefined && { name: plan.name }),
          });
        });
      }
      trap.sprung = holds;
    }
  }

  // Time

  #follow<T>(course: Generator<Instant, T, void>): T {
    for (;;) {
      const { done, value } = course.next();
      if (done) return value;
      this.simulation.runUntil(value);
    }
  }

  /** Yields the ends of short stretches until time is up, something is violated, or it is `done`. */
  *#stretches(duration: Instant, done: () => boolean): Generator<Instant, void, void> {
    const { simulation } = this;
    const deadline = simulation.now + duration;
    while (simulation.now < deadline && simulation.violations.length === 0 && !done()) {
      yield Math.min(simulation.now + STEP, deadline);
    }
  }

  #findUnrest(): string[] {
    const waiting = this.cluster.clients.flatMap(({ daemon, process }) => {
      const { length } = this.#awaited(daemon!);
      return length > 0 ? [`${process.name} waits for ${length} answers`] : [];
    });
    return [...this.#checkers.findUnrest(), ...waiting, ...(this.#gateways?.findUnrest() ?? [])];
  }

  /** Objects that a client waits for, but for those it may wait for for ever. */
  #awaited(client: WorkloadClient): readonly RawString[] {
    if (client.underWay === 0) return [];
    const losses = this.#checkers.reportedLosses();
    return client.awaited.filter((object) => !isIn(this.cluster, losses, object));
  }

  #afterEvent(process: SimProcess, event: WorldEvent<Message>): void {
    this.#checkers.afterEvent(process, event);
    if (
      this.#began === undefined ||
      (this.#traps.length === 0 && !this.#expectations.watching && this.#onMoment === undefined)
    ) {
      this.cluster.takeAnswers();
      this.#loggedSeen = this.simulation.linesLogged;
      return;
    }
    const moment = this.#moment(process, event);
    this.#spring(moment);
    this.#expectations.onMoment(moment);
    this.#onMoment?.(moment);
  }

  #moment(process: SimProcess, event: Moment['event']): Moment {
    const lines = this.simulation.linesLogged - this.#loggedSeen;
    const moment = {
      process,
      event,
      answers: this.cluster.takeAnswers(),
      logged: lines === 0 ? [] : this.simulation.logLines.slice(-lines),
    };
    this.#loggedSeen += lines;
    return moment;
  }

  #outcome(unclean: readonly string[]): Outcome {
    const { violations, digest, events, now, logLines } = this.simulation;
    const clients = this.cluster.clients.map(({ daemon }) => daemon!);
    const sum = (of: (client: (typeof clients)[number]) => number) =>
      clients.reduce((total, each) => total + of(each), 0);
    const ended = violations.length === 0 && unclean.length === 0;
    return {
      config: this.spec,
      violations,
      unclean: violations.length > 0 ? [] : unclean,
      findings: ended ? this.#expectations.judge() : [],
      digest,
      stats: {
        virtualSeconds: Math.round(now / SECOND),
        events,
        requests: sum(({ done }) => done) + (this.#gateways?.requests ?? 0),
        givenUp: sum(({ timedOut }) => timedOut),
        faults: this.injector.script.length,
        withheld: this.injector.withheld,
        starts: this.cluster.daemons.reduce((total, { runs }) => total + runs, 0),
        mapEpoch: this.cluster.osdMap?.epoch ?? 0,
        secondsToHeal: Math.round(this.#healedAfter / SECOND),
        undecidedHistories: this.cluster.work.undecided,
        reportedLosses: this.#checkers.reportedLosses().size,
      },
      faults: this.injector.history,
      script: this.injector.script,
      lastedUs: this.#began === undefined ? 0 : now - this.#began,
      log: logLines.slice(-LOG_LINES).map(printLogLine),
    };
  }
}

/** A daemon's line, for people. */
function printLogLine({ at, process, level, message, facts }: LogLine): string {
  return [inSeconds(at), process, level, message, facts ? stringify(facts) : ''].join(' ').trimEnd();
}

function stringify(facts: Record<string, unknown>): string {
  return JSON.stringify(facts, (_, value) => (typeof value === 'bigint' ? String(value) : value));
}
