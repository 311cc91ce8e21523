// One call that the carrier takes: treated as its behaviour says, until either side ends it.
import type { Clock, Timer } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { type MediaEngine, MediaError, type MediaSession } from '../media/index.ts';
import { type AudioDescription, readAudio, SdpError, writeAnswer } from '../sdp/index.ts';
import type { Body, Dialog, HeaderField, ServerInvite } from '../sip/index.ts';
import type { Treatment } from './behaviours.ts';

/** How long things take, in milliseconds. */
export interface CarrierTimes {
  /** From ringing to the answer, or to the refusal. */
  readonly ringMs: number;
  /** From 100 to ringing, where the behaviour is slow. */
  readonly slowMs: number;
  /** From the answer until it mutes or hangs up, where it does. */
  readonly holdMs: number;
}

/** In the life of a call, in order; with `refused`, `canceled` or `ended` it is over. */
export type CallEvent =
  | { readonly type: 'ringing' }
  | { readonly type: 'answered' }
  /** The caller pressed a key. */
  | { readonly type: 'key'; readonly key: string }
  /** By its behaviour, because its offer or its media would not do, or by `hangUp` before the answer. */
  | { readonly type: 'refused'; readonly status: number }
  | { readonly type: 'canceled' }
  /** `seconds` since the answer. */
  | { readonly type: 'ended'; readonly by: 'caller' | 'carrier' | 'failure'; readonly seconds: number };

export interface CarrierCallOptions {
  readonly id: string;
  readonly invite: ServerInvite;
  readonly treatment: Treatment;
  readonly clock: Clock;
  readonly log: Log;
  readonly media: MediaEngine;
  readonly times: CarrierTimes;
  readonly captureMs: number;
  tell(event: CallEvent): void;
}

type Answering = Extract<Treatment, { kind: 'answer' }>;
type Refusing = Extract<Treatment, { kind: 'refuse' }>;

const USUAL_HZ = 440;
const NOT_ACCEPTABLE = 488;
/** What early media that nobody plays is described by: the discard port. */
const NO_MEDIA = { address: '127.0.0.1', port: 9, sessionId: '1', version: 1 };
const ENDED_BY = { remote: 'caller', local: 'carrier', failure: 'failure' } as const;

export class CarrierCall {
  readonly #options: CarrierCallOptions;
  #state: 'ringing' | 'answered' | 'over' = 'ringing';
  #timer: Timer | undefined;
  #session: MediaSession | undefined;
  #dialog: Dialog | undefined;
  #answeredAtMs = 0;
  #descriptions = 0;
  #captured: Promise<Int16Array> = Promise.resolve(new Int16Array(0));

  constructor(options: CarrierCallOptions) {
    this.#options = options;
  }

  get state(): 'ringing' | 'answered' | 'over' {
    return this.#state;
  }

  /** What was heard; of a call that is over, all of it. */
  captured(): Promise<Int16Array> {
    return this.#state === 'answered' && this.#session ? this.#session.captured() : this.#captured;
  }

  /** To be called while the handler of `onInvite` runs. */
  start(): void {
    const { invite, treatment, times } = this.#options;
    invite.handle({ canceled: () => this.#over({ type: 'canceled' }) });
    // The stack has said 100, or will.
    if (treatment.kind === 'stall') return;
    if (treatment.kind === 'refuse') return this.#refuseInTime(treatment);
    if (treatment.kind !== 'answer') return this.#ring();
    const offer = readOffer(invite.request.body);
    if (!offer) return this.#refuse(NOT_ACCEPTABLE);
    const answer = (): void => {
      this.#answer(treatment, offer).catch((error: unknown) => this.#giveUp(error));
    };
    const ringThenAnswer = (): void => {
      if (treatment.early) this.#ringAloud(treatment, offer).catch((error: unknown) => this.#giveUp(error));
      else this.#ring();
      this.#after(times.ringMs, answer);
    };
    if (treatment.slow) this.#after(times.slowMs, ringThenAnswer);
    else ringThenAnswer();
  }

  /** Ends the call by BYE, or, before its answer, by 480. */
  hangUp(): void {
    if (this.#dialog) this.#dialog.bye();
    else if (this.#state === 'ringing') this.#refuse(480);
  }

  #refuseInTime({ status, headers, after }: Refusing): void {
    const { invite, times } = this.#options;
    if (after === undefined) return this.#refuse(status, headers);
    const offer = after === 'early media' ? readOffer(invite.request.body) : undefined;
    this.#ring(offer && { contentType: 'application/sdp', content: writeAnswer(offer, NO_MEDIA).sdp });
    this.#after(times.ringMs, () => this.#refuse(status, headers));
  }

  /** With sound the caller is to hear, where there is a body. */
  #ring(body?: Body): void {
    this.#options.invite.progress(body ? 183 : 180, body);
    this.#options.tell({ type: 'ringing' });
  }

  /** Early media. */
  async #ringAloud(treatment: Answering, offer: AudioDescription): Promise<void> {
    const session = await this.#open();
    if (!session) return;
    this.#ring(this.#describe(session, offer));
    this.#send(treatment, session);
  }

  /** Undefined where the call is over meanwhile. */
  async #open(): Promise<MediaSession | undefined> {
    const { id, media, captureMs, tell } = this.#options;
    this.#session ??= await media.open({ family: id, captureMs });
    if (this.#state === 'over') {
      this.#session.close();
      return undefined;
    }
    this.#session.onDigit((key) => tell({ type: 'key', key }));
    return this.#session;
  }

  async #answer(treatment: Answering, offer: AudioDescription): Promise<void> {
    const { invite, clock } = this.#options;
    const session = await this.#open();
    if (!session) return;
    this.#dialog = invite.accept(this.#describe(session, offer));
    this.#state = 'answered';
    this.#answeredAtMs = clock.monotonic();
    this.#options.tell({ type: 'answered' });
    if (treatment.presses === undefined) this.#send(treatment, session);
    else this.#press(treatment.presses, session);
    this.#dialog.handle({
      ended: (by) => this.#end(by),
      offered: (body) => {
        const changed = readOffer(body);
        return changed ? this.#describe(session, changed) : NOT_ACCEPTABLE;
      },
    });
  }

  #giveUp(error: unknown): void {
    this.#options.log.warn(
      { callId: this.#options.id, error: String(error) },
      'the carrier could not answer a call',
    );
    this.#refuse(error instanceof MediaError && error.code === 'ports-exhausted' ? 503 : 500);
  }

  /** Answers an offer, and sends to where it says. */
  #describe(session: MediaSession, offer: AudioDescription): Body {
    const version = ++this.#descriptions;
    const { sdp, peer } = writeAnswer(offer, {
      ...session.local,
      sessionId: `${session.local.port}`,
      version,
    });
    session.connect(peer);
    return { contentType: 'application/sdp', content: sdp };
  }

  #send({ sends, later, hz = USUAL_HZ }: Answering, session: MediaSession): void {
    if (sends === 'echo') session.echo();
    else this.#tone(hz, session);
    if (later)
      this.#after(this.#options.times.holdMs, () => (later === 'mute' ? session.mute() : this.hangUp()));
  }

  #tone(hz: number, session: MediaSession): void {
    const tone = { kind: 'tone', frequenciesHz: [hz], durationMs: Number.POSITIVE_INFINITY } as const;
    session.play(tone).catch((error: unknown) => this.#brokeOff(error));
  }

  #press(keys: string, session: MediaSession): void {
    session.sendDigits(keys).catch((error: unknown) => this.#brokeOff(error));
  }

  #brokeOff(error: unknown): void {
    this.#options.log.warn(
      { callId: this.#options.id, error: String(error) },
      'the carrier’s sound broke off',
    );
  }

  #refuse(status: number, headers: readonly HeaderField[] = []): void {
    this.#options.invite.reject(status, headers);
    this.#over({ type: 'refused', status });
  }

  #end(by: 'remote' | 'local' | 'failure'): void {
    const seconds = (this.#options.clock.monotonic() - this.#answeredAtMs) / 1000;
    this.#over({ type: 'ended', by: ENDED_BY[by], seconds });
  }

  #over(event: CallEvent): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#options.clock.cancel(this.#timer);
    if (this.#session) this.#captured = this.#session.captured().catch(() => new Int16Array(0));
    this.#session?.close();
    this.#options.tell(event);
  }

  #after(delayMs: number, task: () => void): void {
    this.#timer = this.#options.clock.after(delayMs, task);
  }
}

function readOffer(body: string): AudioDescription | undefined {
  try {
    return readAudio(body);
  } catch (error) {
    if (error instanceof SdpError) return undefined;
    throw error;
  }
}
