// The caller's name by their number (CNAM): from a file or a web service, remembered for a while, and never waited for long.
import type { Clock } from '../../lib/clock.ts';
import { ownCopy } from '../../lib/own-copy.ts';
import type { WebhookResult } from '../webhook/request.ts';

/** Where names come from. Rejects when it cannot say. */
export type NameSource = (number: string) => Promise<string | undefined>;

export interface CallerNameLimits {
  /** A caller is nameless when the source has not answered by then. */
  readonly patienceMs: number;
  /** How long an answer is good, also that there is no name. */
  readonly rememberedMs: number;
  /** How long the source is not asked again about a number that it failed at. */
  readonly failedMs: number;
  /** Numbers that are remembered; the least recent ones are forgotten. */
  readonly remembered: number;
  /** Numbers that are asked about at once; more callers are nameless. */
  readonly underWay: number;
}

export const CALLER_NAME_LIMITS: CallerNameLimits = {
  patienceMs: 1000,
  rememberedMs: 3_600_000,
  failedMs: 30_000,
  remembered: 10_000,
  underWay: 200,
};

interface Remembered {
  readonly name: string | undefined;
  readonly untilMs: number;
}

const MAX_NAME_CHARACTERS = 64;

export class CallerNames {
  readonly #source: NameSource;
  readonly #clock: Clock;
  readonly #limits: CallerNameLimits;
  readonly #known = new Map<string, Remembered>();
  readonly #underWay = new Map<string, Promise<string | undefined>>();

  constructor(source: NameSource, clock: Clock, limits: Partial<CallerNameLimits> = {}) {
    this.#source = source;
    this.#clock = clock;
    this.#limits = { ...CALLER_NAME_LIMITS, ...limits };
  }

  /** The name of a number in E.164. Never rejects; resolves within `patienceMs`. */
  async callerName(number: string): Promise<string | undefined> {
    const known = this.#known.get(number);
    if (known && known.untilMs > this.#clock.monotonic()) return known.name;
    const asked = this.#underWay.get(number) ?? this.#ask(number);
    return asked && this.#inTime(asked);
  }

  /** Numbers that are remembered or asked about. */
  get size(): number {
    return this.#known.size + this.#underWay.size;
  }

  /** Undefined where too much is under way. What comes too late for this call is there for the next. */
  #ask(number: string): Promise<string | undefined> | undefined {
    if (this.#underWay.size >= this.#limits.underWay) return undefined;
    const { rememberedMs, failedMs } = this.#limits;
    const asked = this.#source(number).then(
      (name) => this.#remember(number, name === undefined ? undefined : presentable(name), rememberedMs),
      () => this.#remember(number, undefined, failedMs),
    );
    this.#underWay.set(number, asked);
    return asked.finally(() => this.#underWay.delete(number));
  }

  #remember(number: string, name: string | undefined, forMs: number): string | undefined {
    this.#known.delete(number);
    this.#known.set(ownCopy(number), { name, untilMs: this.#clock.monotonic() + forMs });
    if (this.#known.size > this.#limits.remembered) {
      const [oldest = ''] = this.#known.keys();
      this.#known.delete(oldest);
    }
    return name;
  }

  #inTime(asked: Promise<string | undefined>): Promise<string | undefined> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(this.#limits.patienceMs, () => resolve(undefined));
      void asked.then((name) => {
        this.#clock.cancel(timer);
        resolve(name);
      });
    });
  }
}

/** It ends up in headers and webhooks: one line, of a length that displays have. */
function presentable(given: string): string | undefined {
  const name = given
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, MAX_NAME_CHARACTERS);
  return name === '' ? undefined : ownCopy(name);
}

/** A GET to the user's web service, guarded as webhooks are. `parameters` are form-encoded. */
export type NameRequest = (parameters: string) => Promise<WebhookResult>;

/**
 * Asks with the number as query parameter `Number`. The answer is the name as text, or JSON with `caller_name`; an empty
 * one says that there is none.
 */
export function namesByHttp(request: NameRequest): NameSource {
  return async (number) => {
    const result = await request(new URLSearchParams({ Number: number }).toString());
    if (result.kind === 'failure') throw new Error(result.message);
    const text = result.body.toString('utf8');
    if (!/^application\/json\b/i.test(result.contentType)) return text;
    const { caller_name: name } = JSON.parse(text) as { readonly caller_name?: unknown };
    return typeof name === 'string' ? name : undefined;
  };
}
