// Watches over targets and origination URLs: asks each by OPTIONS now and then, takes in what calls met there, and tells
// routing who is down.
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import { connectionPolicyTarget, insecureTarget, originationUrl, trunk } from '../../resources/index.ts';
import {
  type CallReport,
  HEALTH_STATES,
  type HealthAction,
  type HealthInput,
  type HealthRules,
  type HealthState,
  NEW_HEALTH,
  stepHealth,
  type Target,
  type TargetHealth,
} from '../../routing/index.ts';
import { type Endpoint, formatUri, parseUri, type RequestOutcome, type UserAgent } from '../../sip/index.ts';
import type { Directory } from '../../store/index.ts';
import { originationTarget } from './plan-origination.ts';
import { reachedUri } from './request-uri.ts';
import type { HealthBook } from './route-runner.ts';

export interface HealthSettings extends HealthRules {
  /** Every enabled target is asked once in so long; 0 asks only those that are down. */
  readonly intervalMs: number;
  /** An answer must come within this time. */
  readonly silenceMs: number;
}

export interface HealthWatchDeps {
  readonly agent: UserAgent;
  /** As calls find a target's addresses. */
  locate(uri: string): Promise<readonly Endpoint[]>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly directory: Directory;
  /** Host of the From header. */
  readonly fromDomain: string;
  readonly settings: HealthSettings;
}

/** What is asked after: a URI as targets write it, over TLS with or without a look at the certificate. */
type Place = Pick<Target, 'uri' | 'insecure'>;

interface Entry {
  readonly place: Place;
  /** Targets that name the place, of whatever account. */
  readonly sids: Set<string>;
  health: TargetHealth;
  /** Until a place that is down is asked again. */
  recovery: Timer | undefined;
  /** Whether an OPTIONS is under way. */
  asking: boolean;
  /** The round it was last asked in. */
  round: number;
}

export interface HealthCounts {
  /** Places by state. */
  readonly states: Readonly<Record<HealthState, number>>;
  /** How often a place came into a state since the start. */
  readonly transitions: Readonly<Record<HealthState, number>>;
}

/** OPTIONS under way at once. */
const MAX_ASKING = 64;
/** The round takes a step no more often than this. */
const MIN_STEP_MS = 10;
/** A place whose turn has come while too many are being asked. */
const BUSY_MS = 1_000;
/** Places that no target names any more are looked for when there are so many. */
const PRUNE_AT = 1_000;

export class HealthWatch implements HealthBook {
  readonly #deps: HealthWatchDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #timers = new Set<Timer>();
  readonly #transitions = perState();
  #asking = 0;
  #round = 0;
  /** What is left of the round. */
  #queue: { readonly sids: readonly string[]; next: number } = { sids: [], next: 0 };
  #pruneAt = PRUNE_AT;
  #stopped = false;

  constructor(deps: HealthWatchDeps) {
    this.#deps = deps;
  }

  /** Begins the round; what calls meet is taken in without it too. */
  start(): void {
    if (this.#deps.settings.intervalMs > 0) this.#takeStep();
  }

  /** Nothing is asked any more, and no timer is left. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) this.#deps.clock.cancel(timer);
    this.#timers.clear();
  }

  of(place: Place): TargetHealth {
    return this.#entries.get(keyOf(place))?.health ?? NEW_HEALTH;
  }

  /** A place that no policy names, such as a SIP URI that was called, is not kept in mind. */
  report(target: Target, report: CallReport): void {
    if (target.sid !== null) this.#feed(this.#entry(target, target.sid), report);
  }

  counts(): HealthCounts {
    const states = perState();
    for (const { health } of this.#entries.values()) states[health.state] += 1;
    return { states, transitions: { ...this.#transitions } };
  }

  /** Goes on in the round: so far that all targets have had their turn when the interval is over. */
  #takeStep(): void {
    if (this.#queue.next >= this.#queue.sids.length) this.#beginRound();
    const { intervalMs } = this.#deps.settings;
    const { length } = this.#queue.sids;
    const stepMs = Math.max(MIN_STEP_MS, intervalMs / Math.max(1, length));
    this.#after(this.#jittered(stepMs), () => {
      this.#askNext(Math.max(1, Math.round((length * stepMs) / intervalMs)));
      this.#takeStep();
    });
  }

  #beginRound(): void {
    this.#round += 1;
    const { directory } = this.#deps;
    const rows = [...directory.all(connectionPolicyTarget), ...directory.all(originationUrl)];
    this.#queue = { sids: rows.filter(({ enabled }) => enabled).map(({ sid }) => sid), next: 0 };
    this.#prune();
  }

  #askNext(count: number): void {
    for (let turn = 0; turn < count && this.#asking < MAX_ASKING; turn++) {
      const sid = this.#queue.sids[this.#queue.next++];
      const place = sid === undefined ? undefined : this.#placeOf(sid);
      if (sid === undefined || !place) continue;
      const entry = this.#entry(place, sid);
      // Two targets may name one place; one that is down is asked by its own timer.
      if (entry.round === this.#round || entry.recovery) continue;
      entry.round = this.#round;
      this.#feed(entry, { type: 'check-due' });
    }
  }

  /** What a target names, where it is there and enabled. */
  #placeOf(sid: string): Place | undefined {
    const { directory } = this.#deps;
    const row = directory.find(connectionPolicyTarget, sid);
    if (!row) return pbxPlace(sid, directory);
    if (!row.enabled || row.target === null) return undefined;
    return { uri: row.target, insecure: directory.findBy(insecureTarget, { targetSid: sid }).length > 0 };
  }

  #entry(place: Place, sid: string): Entry {
    const key = keyOf(place);
    const known = this.#entries.get(key);
    const entry = known ?? newEntry(place);
    entry.sids.add(sid);
    if (!known) {
      if (this.#entries.size >= this.#pruneAt) this.#prune();
      this.#entries.set(key, entry);
    }
    return entry;
  }

  #prune(): void {
    for (const entry of this.#entries.values()) if (!this.#isNamed(entry)) this.#forget(entry);
    this.#pruneAt = Math.max(PRUNE_AT, 2 * this.#entries.size);
  }

  #isNamed({ place, sids }: Entry): boolean {
    const key = keyOf(place);
    for (const sid of sids) {
      const named = this.#placeOf(sid);
      if (named && keyOf(named) === key) return true;
      sids.delete(sid);
    }
    return false;
  }

  #forget(entry: Entry): void {
    this.#cancel(entry.recovery);
    this.#entries.delete(keyOf(entry.place));
  }

  #feed(entry: Entry, input: HealthInput): void {
    if (this.#stopped) return;
    const { clock, settings } = this.#deps;
    const before = entry.health;
    const { health, actions } = stepHealth(before, input, { rules: settings, nowMs: clock.now() });
    entry.health = health;
    if (health.state !== before.state) this.#changed(entry);
    for (const action of actions) this.#perform(entry, action);
  }

  #changed({ health: { state, why }, sids }: Entry): void {
    this.#transitions[state] += 1;
    const [target_sid] = sids;
    if (state === 'down') this.#deps.log.warn({ target_sid, why }, 'a target is down');
    else this.#deps.log.info({ target_sid, state, why }, 'the health of a target has changed');
  }

  #perform(entry: Entry, action: HealthAction): void {
    switch (action.type) {
      case 'check':
        return void this.#ask(entry);
      case 'check-after':
        return this.#checkAfter(entry, action.delayMs);
      case 'stop-waiting':
        this.#cancel(entry.recovery);
        entry.recovery = undefined;
    }
  }

  #checkAfter(entry: Entry, delayMs: number): void {
    entry.recovery = this.#after(this.#jittered(delayMs), () => {
      entry.recovery = undefined;
      if (!this.#isNamed(entry)) return this.#forget(entry);
      if (entry.asking || this.#asking >= MAX_ASKING) return this.#checkAfter(entry, BUSY_MS);
      this.#feed(entry, { type: 'check-due' });
    });
  }

  async #ask(entry: Entry): Promise<void> {
    if (entry.asking) return;
    entry.asking = true;
    this.#asking += 1;
    const input = await this.#answerOf(entry.place);
    this.#asking -= 1;
    entry.asking = false;
    this.#feed(entry, input);
  }

  /** Asks the addresses in turn, as a call would try them, until one is alive. */
  async #answerOf(place: Place): Promise<HealthInput> {
    const { locate, settings } = this.#deps;
    let input: HealthInput = { type: 'check-impossible', why: 'it has no address' };
    try {
      for (const endpoint of await locate(place.uri)) {
        const isInsecure = place.insecure === true && endpoint.transport === 'tls';
        const destination = isInsecure ? { ...endpoint, insecure: true } : endpoint;
        input = inputOf(await this.#options(place.uri, destination), settings.silenceMs);
        if (input.type === 'check-answered' && input.status !== 503) return input;
      }
    } catch (error) {
      return { type: 'check-impossible', why: (error as Error).message };
    }
    return input;
  }

  /** An answer counts for as long as it does for a call. @throws {SipSyntaxError} */
  #options(uri: string, destination: Endpoint): Promise<RequestOutcome> {
    const { agent, fromDomain, settings } = this.#deps;
    return new Promise((resolve, reject) => {
      const limit = this.#after(settings.silenceMs, () => resolve({ kind: 'timeout' }));
      const from = `sip:${fromDomain}`;
      const asked = formatUri({ ...reachedUri(parseUri(uri)), headers: [] });
      try {
        agent.request({ method: 'OPTIONS', uri: asked, from, destination }, (outcome) => {
          this.#cancel(limit);
          resolve(outcome);
        });
      } catch (error) {
        this.#cancel(limit);
        reject(error as Error);
      }
    });
  }

  #after(delayMs: number, task: () => void): Timer {
    const timer = this.#deps.clock.after(delayMs, () => {
      this.#timers.delete(timer);
      task();
    });
    this.#timers.add(timer);
    return timer;
  }

  #cancel(timer: Timer | undefined): void {
    if (timer) this.#timers.delete(timer);
    this.#deps.clock.cancel(timer);
  }

  /** Half to one and a half: exchanges and targets do not march in step. */
  #jittered(ms: number): number {
    return ms * (0.5 + this.#deps.random.fraction());
  }
}

/** The same of an origination URL. */
function pbxPlace(sid: string, directory: Directory): Place | undefined {
  const url = directory.find(originationUrl, sid);
  const owner = url?.enabled ? directory.find(trunk, url.trunkSid) : undefined;
  return url && owner ? { uri: originationTarget(owner, url.sipUrl) } : undefined;
}

const keyOf = ({ uri, insecure }: Place): string => (insecure ? `${uri} insecure` : uri);

const newEntry = ({ uri, insecure = false }: Place): Entry => ({
  place: { uri, insecure },
  sids: new Set(),
  health: NEW_HEALTH,
  recovery: undefined,
  asking: false,
  round: 0,
});

const perState = (): Record<HealthState, number> =>
  Object.fromEntries(HEALTH_STATES.map((state) => [state, 0])) as Record<HealthState, number>;

function inputOf(outcome: RequestOutcome, silenceMs: number): HealthInput {
  switch (outcome.kind) {
    case 'response':
      return { type: 'check-answered', status: outcome.response.status };
    case 'timeout':
      return { type: 'check-failed', why: `no answer within ${silenceMs / 1000} s` };
    case 'transport':
      return { type: 'check-failed', why: outcome.message };
  }
}
