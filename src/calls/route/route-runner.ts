// Performs what failover decides: looks hosts up, sends INVITEs, keeps its timers, and feeds back what happens.
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import {
  type CallReport,
  type FailoverAction,
  type FailoverInput,
  type FailoverRules,
  type FailoverState,
  type FailoverTimer,
  newFailover,
  type RouteOutcome,
  type RoutePlan,
  type RouteTrace,
  type Standing,
  step,
  type Target,
  traceEvent,
} from '../../routing/index.ts';
import type {
  Body,
  ClientInvite,
  Credentials,
  Dialog,
  Endpoint,
  HeaderField,
  InviteFailure,
  LateEvent,
  ResponseView,
  UserAgent,
} from '../../sip/index.ts';
import { formatUri, parseNameAddr, parseUri, SipSyntaxError } from '../../sip/index.ts';
import { asSecure, isSecure, overTls, requestUri } from './request-uri.ts';

/** What is known of the health of targets, and who is told how calls fare there. */
export interface HealthBook {
  of(target: Target): Standing;
  report(target: Target, report: CallReport): void;
}

export interface RouteRunnerDeps {
  readonly agent: UserAgent;
  /** Where a SIP URI's host is; rejects with an Error whose message says why it cannot be called. */
  locate(uri: string): Promise<readonly Endpoint[]>;
  readonly clock: Clock;
  readonly random: Random;
  readonly rules: FailoverRules;
  /** Without it every target counts as alive. */
  readonly health?: HealthBook;
}

/** Whom an offer is for: with SRTP or not, at which address, and whether together with the one before. */
export interface OfferTarget {
  readonly secure: boolean;
  readonly to: string;
  readonly again?: boolean;
}

/** What is the same in every attempt of a call. */
export interface InviteTemplate {
  /** User part for targets that name none: the number dialled; undefined where a SIP URI is called as it is. */
  readonly user: string | undefined;
  readonly fromUri: string;
  /** Display name in From. */
  readonly fromName?: string;
  /** Display name in Contact. */
  readonly contactName?: string;
  readonly headers: readonly HeaderField[];
  /** Our session description for a target; each one's keys are its own. */
  readonly offer: (target: OfferTarget) => Body;
  /** Answers a target's challenge. */
  readonly credentials?: Credentials;
}

export interface RouteObserver {
  /** The first INVITE is about to leave. */
  dialing(): void;
  ringing(): void;
  /** Sound comes before the answer: a 1xx with a description. */
  early(response: ResponseView): void;
  /** A final response to the INVITE with this Call-ID, which went to this address; before what it leads to is told. */
  final(callId: string, response: ResponseView, address: string): void;
  answered(dialog: Dialog, response: ResponseView): void;
  /** A target could not take the call, which goes on to the next; who and why, in words. */
  attemptFailed(text: string): void;
  ended(outcome: Exclude<RouteOutcome, { kind: 'answered' }>): void;
  /** Something came after an attempt was given up, perhaps after `ended`: the trace has grown. */
  lateEvent(): void;
}

/** The hunt for a callee. */
export interface Route {
  readonly trace: RouteTrace;
  start(template: InviteTemplate): void;
  cancel(): void;
}

export class RouteRunner implements Route {
  readonly #deps: RouteRunnerDeps;
  readonly #plan: RoutePlan;
  readonly #observer: RouteObserver;
  readonly #state: FailoverState;
  readonly #timers = new Map<FailoverTimer, Timer>();
  #template: InviteTemplate | undefined;
  #invite: ClientInvite | undefined;
  /** Counts attempts, so that a look-up or an answer of one that was left is not taken for the next. */
  #attempt = 0;

  /** @param trace of a call that looks for several at once, where this is not the first. */
  constructor(deps: RouteRunnerDeps, plan: RoutePlan, observer: RouteObserver, trace?: RouteTrace) {
    this.#deps = deps;
    this.#plan = plan;
    this.#observer = observer;
    const targets = withHealth(plan.targets, deps.health);
    this.#state = newFailover({ ...plan, targets }, deps, trace);
  }

  get trace(): RouteTrace {
    return this.#state.trace;
  }

  start(template: InviteTemplate): void {
    this.#template = template;
    this.#feed({ type: 'start' });
  }

  cancel(): void {
    this.#feed({ type: 'cancel' });
  }

  #feed(input: FailoverInput): void {
    for (const action of step(this.#state, input, this.#deps.clock.now())) this.#perform(action);
  }

  #perform(action: FailoverAction): void {
    switch (action.type) {
      case 'locate':
        return this.#locate(action.uri);
      case 'invite':
        return this.#sendInvite(action.uri, action.destination);
      case 'abandon':
        this.#attempt += 1;
        this.#invite?.cancel();
        this.#invite = undefined;
        return;
      case 'set-timer':
        return this.#setTimer(action.timer, action.delayMs);
      case 'stop-timer':
        this.#deps.clock.cancel(this.#timers.get(action.timer));
        this.#timers.delete(action.timer);
        return;
      case 'report':
        return this.#deps.health?.report(action.target, action.report);
      case 'attempt-failed':
        return this.#observer.attemptFailed(action.text);
      case 'ringing':
        return this.#observer.ringing();
      case 'ended':
        if (action.outcome.kind !== 'answered') this.#observer.ended(action.outcome);
    }
  }

  #setTimer(timer: FailoverTimer, delayMs: number): void {
    this.#deps.clock.cancel(this.#timers.get(timer));
    const fire = () => {
      this.#timers.delete(timer);
      this.#feed({ type: 'timer', timer });
    };
    this.#timers.set(timer, this.#deps.clock.after(delayMs, fire));
  }

  #locate(uri: string): void {
    const attempt = ++this.#attempt;
    const known = this.#plan.targets.find((target) => target.uri === uri)?.destination;
    const found = known ? Promise.resolve([known]) : this.#deps.locate(uri);
    found.then(
      (endpoints) => this.#attempt === attempt && this.#feed({ type: 'located', endpoints }),
      (error: Error) => this.#attempt === attempt && this.#feed({ type: 'not-located', why: error.message }),
    );
  }

  #sendInvite(target: string, destination: Endpoint): void {
    const attempt = ++this.#attempt;
    if (this.trace.attempts.length === 1) this.#observer.dialing();
    const current = (input: FailoverInput) => this.#attempt === attempt && this.#feed(input);
    try {
      this.#invite = this.#inviteTo(target, destination, current);
    } catch (error) {
      if (!(error instanceof SipSyntaxError)) throw error;
      // Later: the actions that this one is among are still being performed.
      this.#deps.clock.after(0, () => current({ type: 'unreachable', why: error.message }));
    }
  }

  #inviteTo(target: string, destination: Endpoint, current: (input: FailoverInput) => unknown): ClientInvite {
    const attempt = this.#attempt;
    const template = this.#template as InviteTemplate;
    const asked = parseUri(target);
    const { uri, headers } = requestUri(asked, template.user);
    return this.#deps.agent.invite(
      {
        uri,
        from: template.fromUri,
        ...(template.fromName !== undefined && { fromName: template.fromName }),
        ...(template.contactName !== undefined && { contactName: template.contactName }),
        destination,
        headers: [...template.headers, ...headers],
        body: template.offer({ secure: isSecure(asked), to: destination.address }),
        ...(template.credentials && { credentials: template.credentials }),
      },
      {
        provisional: (response) => {
          const { status, reason } = response;
          const earlyMedia = response.body !== '';
          current({ type: 'provisional', status, reason, earlyMedia });
          if (earlyMedia && this.#attempt === attempt) this.#observer.early(response);
        },
        answered: (dialog, response) => {
          this.#observer.final(dialog.callId, response, destination.address);
          current({ type: 'answered', status: response.status, reason: response.reason });
          this.#observer.answered(dialog, response);
        },
        failed: (failure) => {
          if (failure.kind === 'response')
            this.#observer.final(this.#invite?.callId ?? '', failure.response, destination.address);
          current(inputOf(failure, isSecure(asked)));
        },
        late: (event) => this.#late(target, event),
      },
    );
  }

  #late(target: string, event: LateEvent): void {
    traceEvent(this.trace, this.#deps.clock.now(), 'attempt', `late from ${target}: ${wordsFor(event)}`);
    this.#observer.lateEvent();
  }
}

/** As it is now: what changes while the call is on its way is for later calls. */
export const withHealth = (targets: readonly Target[], health: HealthBook | undefined): readonly Target[] =>
  health ? targets.map((target) => ({ ...target, health: health.of(target) })) : targets;

/** @param secure whether the target was called with TLS and SRTP: so is where it sends the call */
function inputOf(failure: InviteFailure, secure: boolean): FailoverInput {
  switch (failure.kind) {
    case 'response':
      return refusal(failure.response, secure);
    case 'timeout':
      return { type: 'unreachable', why: 'no response at all' };
    case 'transport':
      return { type: 'unreachable', why: failure.message };
  }
}

function refusal(response: ResponseView, secure: boolean): FailoverInput {
  const { status, reason } = response;
  const contact = status === 302 ? firstContact(response, secure) : undefined;
  return { type: 'refused', status, reason, ...(contact === undefined ? {} : { contact }) };
}

/** Undefined where there is none, or it is no SIP URI. */
function firstContact(response: ResponseView, secure: boolean): string | undefined {
  try {
    const uri = parseUri(parseNameAddr(response.header('Contact') ?? '').uri);
    return formatUri(secure ? asSecure(uri) : overTls(uri));
  } catch {
    return undefined;
  }
}

const wordsFor = (event: LateEvent): string =>
  event.kind === 'final' ? `${event.status}` : `${event.status}, answered with ${event.sent}`;
