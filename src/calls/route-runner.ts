// Performs what failover decides: looks hosts up, sends INVITEs, keeps its timers, and feeds back what happens.
import type { Clock, Timer } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import {
  type FailoverAction,
  type FailoverInput,
  type FailoverState,
  type FailoverTimer,
  newFailover,
  type RouteOutcome,
  type RoutePlan,
  type RouteTrace,
  step,
  traceEvent,
} from '../routing/index.ts';
import type {
  Body,
  ClientInvite,
  Dialog,
  Endpoint,
  HeaderField,
  InviteFailure,
  LateEvent,
  ResponseView,
  UserAgent,
} from '../sip/index.ts';
import { formatUri, parseNameAddr, parseUri } from '../sip/index.ts';
import { requestUri } from './request-uri.ts';

export interface RouteRunnerDeps {
  readonly agent: UserAgent;
  /** Where a SIP URI's host is; rejects with an Error whose message says why it cannot be called. */
  locate(uri: string): Promise<readonly Endpoint[]>;
  readonly clock: Clock;
  readonly random: Random;
}

/** What is the same in every attempt of a call. */
export interface InviteTemplate {
  /** User part for targets that name none: the number dialled. */
  readonly user: string;
  readonly fromUri: string;
  readonly headers: readonly HeaderField[];
  readonly body: Body;
}

export interface RouteObserver {
  /** The first INVITE is about to leave. */
  dialing(): void;
  ringing(): void;
  answered(dialog: Dialog, response: ResponseView): void;
  ended(outcome: Exclude<RouteOutcome, { kind: 'answered' }>): void;
  /** Something came after an attempt was given up, perhaps after `ended`: the trace has grown. */
  lateEvent(): void;
}

export class RouteRunner {
  readonly #deps: RouteRunnerDeps;
  readonly #observer: RouteObserver;
  readonly #state: FailoverState;
  readonly #timers = new Map<FailoverTimer, Timer>();
  #template: InviteTemplate | undefined;
  #invite: ClientInvite | undefined;
  /** Counts attempts, so that a look-up or an answer of one that was left is not taken for the next. */
  #attempt = 0;

  constructor(deps: RouteRunnerDeps, plan: RoutePlan, observer: RouteObserver) {
    this.#deps = deps;
    this.#observer = observer;
    this.#state = newFailover(plan, deps.random);
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
    this.#deps.locate(uri).then(
      (endpoints) => this.#attempt === attempt && this.#feed({ type: 'located', endpoints }),
      (error: Error) => this.#attempt === attempt && this.#feed({ type: 'not-located', why: error.message }),
    );
  }

  #sendInvite(target: string, destination: Endpoint): void {
    const attempt = ++this.#attempt;
    if (this.trace.attempts.length === 1) this.#observer.dialing();
    const current = (input: FailoverInput) => this.#attempt === attempt && this.#feed(input);
    const template = this.#template as InviteTemplate;
    const { uri, headers } = requestUri(parseUri(target), template.user);
    this.#invite = this.#deps.agent.invite(
      {
        uri,
        from: template.fromUri,
        destination,
        headers: [...template.headers, ...headers],
        body: template.body,
      },
      {
        provisional: (response) =>
          current({
            type: 'provisional',
            status: response.status,
            reason: response.reason,
            earlyMedia: response.body !== '',
          }),
        answered: (dialog, response) => {
          current({ type: 'answered', status: response.status, reason: response.reason });
          this.#observer.answered(dialog, response);
        },
        failed: (failure) => current(inputOf(failure)),
        late: (event) => this.#late(target, event),
      },
    );
  }

  #late(target: string, event: LateEvent): void {
    traceEvent(this.trace, this.#deps.clock.now(), 'attempt', `late from ${target}: ${wordsFor(event)}`);
    this.#observer.lateEvent();
  }
}

function inputOf(failure: InviteFailure): FailoverInput {
  switch (failure.kind) {
    case 'response':
      return refusal(failure.response);
    case 'timeout':
      return { type: 'unreachable', why: 'no response at all' };
    case 'transport':
      return { type: 'unreachable', why: failure.message };
  }
}

function refusal(response: ResponseView): FailoverInput {
  const { status, reason } = response;
  const contact = status === 302 ? firstContact(response) : undefined;
  return { type: 'refused', status, reason, ...(contact === undefined ? {} : { contact }) };
}

/** Undefined where there is none, or it is no SIP URI. */
function firstContact(response: ResponseView): string | undefined {
  try {
    return formatUri(parseUri(parseNameAddr(response.header('Contact') ?? '').uri));
  } catch {
    return undefined;
  }
}

const wordsFor = (event: LateEvent): string =>
  event.kind === 'final' ? `${event.status}` : `${event.status}, answered with ${event.sent}`;
