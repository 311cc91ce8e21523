// A hunt that calls all its targets at once: the devices of one user (RFC 3261 §16.7). The first to answer is taken.
import { isIP } from 'node:net';
import type { RouteOutcome, RoutePlan, RouteTrace } from '../../routing/index.ts';
import type { Body } from '../../sip/index.ts';
import {
  type InviteTemplate,
  type Route,
  type RouteObserver,
  RouteRunner,
  type RouteRunnerDeps,
} from './route-runner.ts';

type Failure = Exclude<RouteOutcome, { kind: 'answered' }>;

export class ForkedRoute implements Route {
  readonly trace: RouteTrace;
  readonly #observer: RouteObserver;
  readonly #branches: RouteRunner[] = [];
  readonly #failures: Failure[] = [];
  #hasBegun = false;
  #hasRung = false;
  #isAnswered = false;

  /** @param plan with at least one target */
  constructor(deps: RouteRunnerDeps, plan: RoutePlan, observer: RouteObserver) {
    this.#observer = observer;
    let trace: RouteTrace | undefined;
    for (const target of plan.targets) {
      const branch = new RouteRunner(deps, { ...plan, targets: [target] }, this.#observerOf(), trace);
      trace = branch.trace;
      this.#branches.push(branch);
    }
    this.trace = trace as RouteTrace;
  }

  /** All are offered the same media: there is one session for whoever answers, by IPv4 or IPv6. */
  start(template: InviteTemplate): void {
    const bodies = new Map<number, Body>();
    const offer: InviteTemplate['offer'] = (target) => {
      const kind = isIP(target.to);
      const body = bodies.get(kind) ?? template.offer({ ...target, again: bodies.size > 0 });
      bodies.set(kind, body);
      return body;
    };
    for (const branch of this.#branches) branch.start({ ...template, offer });
  }

  cancel(): void {
    for (const branch of this.#branches) branch.cancel();
  }

  #observerOf(): RouteObserver {
    const at = this.#branches.length;
    const observer = this.#observer;
    const isFirst = (): boolean => !this.#isAnswered;
    return {
      dialing: () => {
        if (this.#hasBegun) return;
        this.#hasBegun = true;
        observer.dialing();
      },
      ringing: () => {
        if (this.#hasRung) return;
        this.#hasRung = true;
        observer.ringing();
      },
      early: (response) => isFirst() && observer.early(response),
      final: (callId, response, address) => isFirst() && observer.final(callId, response, address),
      answered: (dialog, response) => {
        // Another was quicker, in the very same moment.
        if (!isFirst()) return dialog.bye();
        this.#isAnswered = true;
        for (const [other, branch] of this.#branches.entries()) if (other !== at) branch.cancel();
        observer.answered(dialog, response);
      },
      attemptFailed: (text) => isFirst() && observer.attemptFailed(text),
      ended: (outcome) => this.#ended(outcome),
      lateEvent: () => observer.lateEvent(),
    };
  }

  #ended(outcome: Failure): void {
    this.#failures.push(outcome);
    if (this.#isAnswered) return;
    if (this.#failures.length === this.#branches.length) return this.#observer.ended(best(this.#failures));
    // The user has declined: 6xx speaks for all devices.
    if (statusOf(outcome) >= 600) for (const branch of this.#branches) branch.cancel();
  }
}

const statusOf = (outcome: Failure): number => ('sipStatus' in outcome ? (outcome.sipStatus ?? 0) : 0);

/** 6xx before all, then what came of the callee, then the lowest status. */
function best(failures: readonly Failure[]): Failure {
  const rank = (outcome: Failure): number => {
    const status = statusOf(outcome);
    if (status >= 600) return 0;
    if (outcome.kind === 'refused') return status;
    return outcome.kind === 'no-answer' ? 1000 : 2000 + status;
  };
  return failures.toSorted((a, b) => rank(a) - rank(b))[0] as Failure;
}
