// One call that the carrier takes: treated as its behaviour says, until either side ends it.
import type { Clock, Timer } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { type MediaEngine, MediaError, type MediaSession } from '../media/index.ts';
import { type AudioDescription, readAudio, SdpError, writeAnswer } from '../sdp/index.ts';
import type { Body, Dialog, ServerInvite } from '../sip/index.ts';
import { type Behaviour, type Treatment, treatmentOf } from './behaviours.ts';

/** How long things take, in milliseconds. */
export interface CarrierTimes {
  /** From ringing to the answer. */
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
  /** By its behaviour, because its offer or its media would not do, or by `hangUp` before the answer. */
  | { readonly type: 'refused'; readonly status: number }
  | { readonly type: 'canceled' }
  /** `seconds` since the answer. */
  | { readonly type: 'ended'; readonly by: 'caller' | 'carrier' | 'failure'; readonly seconds: number };

export interface CarrierCallOptions {
  readonly id: string;
  readonly invite: ServerInvite;
  readonly behaviour: Behaviour;
  readonly clock: Clock;
  readonly log: Log;
  readonly media: MediaEngine;
  readonly times: CarrierTimes;
  readonly captureMs: number;
  tell(event: CallEvent): void;
}

type Answering = Extract<Treatment, { kind: 'answer' }>;

const TONE = { kind: 'tone', frequenciesHz: [440], durationMs: Number.POSITIVE_INFINITY } as const;
const NOT_ACCEPTABLE = 488;
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
    const { invite, behaviour, times } = this.#options;
    const treatment = treatmentOf(behaviour);
    invite.onCancel = () => this.#over({ type: 'canceled' });
    if (treatment.kind === 'refuse') return this.#refuse(treatment.status);
    if (treatment.kind !== 'answer') return this.#ring();
    const offer = readOffer(invite.request.body);
    if (!offer) return this.#refuse(NOT_ACCEPTABLE);
    const ringThenAnswer = (): void => {
      this.#ring();
      this.#after(times.ringMs, () => {
        this.#answer(treatment, offer).catch((error: unknown) => this.#giveUp(error));
      });
    };
    if (treatment.slow) this.#after(times.slowMs, ringThenAnswer);
    else ringThenAnswer();
  }

  /** Ends the call by BYE, or, before its answer, by 480. */
  hangUp(): void {
    if (this.#dialog) this.#dialog.bye();
    else if (this.#state === 'ringing') this.#refuse(480);
  }

  #ring(): void {
    this.#options.invite.progress(180);
    this.#options.tell({ type: 'ringing' });
  }

  async #answer(treatment: Answering, offer: AudioDescription): Promise<void> {
    const { id, media, captureMs, invite, clock } = this.#options;
    const session = await media.open({ family: id, captureMs });
    if (this.#state === 'over') return session.close();
    this.#session = session;
    this.#dialog = invite.accept(this.#describe(session, offer));
    this.#state = 'answered';
    this.#answeredAtMs = clock.monotonic();
    this.#options.tell({ type: 'answered' });
    this.#send(treatment, session);
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

  #send({ sends, later }: Answering, session: MediaSession): void {
    if (sends === 'echo') session.echo();
    else this.#play(session);
    if (later)
      this.#after(this.#options.times.holdMs, () => (later === 'mute' ? session.mute() : this.hangUp()));
  }

  #play(session: MediaSession): void {
    session.play(TONE).catch((error: unknown) => {
      this.#options.log.warn(
        { callId: this.#options.id, error: String(error) },
        'the carrier’s tone broke off',
      );
    });
  }

  #refuse(status: number): void {
    this.#options.invite.reject(status);
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
