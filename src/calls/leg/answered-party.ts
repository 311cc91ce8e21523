// The party of a leg from its answer on: its dialog, and what can be asked of it and by it in there.
import type { Clock } from '../../lib/clock.ts';
import type { MediaEngine } from '../../media/index.ts';
import type { Dialog, HeaderField } from '../../sip/index.ts';
import type { Leg, LegObserver, ReferHandler } from './leg.ts';
import type { LegMedia } from './leg-media.ts';
import { moveMedia } from './leg-move.ts';
import { LegTransfer } from './leg-transfer.ts';

interface AnsweredPartyDeps {
  readonly media: MediaEngine;
  readonly clock: Clock;
}

type DialogHandlers = Parameters<Dialog['handle']>[0];

/** What a REFER is answered with where there is no dialog to send it in. */
const NO_DIALOG = 481;

export class AnsweredParty {
  readonly #deps: AnsweredPartyDeps;
  readonly #observer: Pick<LegObserver, 'answered' | 'referred'>;
  #dialog: Dialog | undefined;
  #media: LegMedia | undefined;
  #transfer: LegTransfer | undefined;
  /** It was hung up on. */
  #isOver = false;

  constructor(deps: AnsweredPartyDeps, observer: Pick<LegObserver, 'answered' | 'referred'>) {
    this.#deps = deps;
    this.#observer = observer;
  }

  /** False until `answer`. */
  get isThere(): boolean {
    return this.#dialog !== undefined;
  }

  get dialogs(): readonly Dialog[] {
    return this.#dialog ? [this.#dialog] : [];
  }

  /** @param told when it hangs up, which is not told after `close`; and when it acknowledges our answer */
  answer(dialog: Dialog, media: LegMedia, told: Pick<DialogHandlers, 'ended' | 'acknowledged'>): void {
    const { clock } = this.#deps;
    const transfer = new LegTransfer({ dialog, clock, observer: this.#observer });
    this.#dialog = dialog;
    this.#media = media;
    this.#transfer = transfer;
    this.#observer.answered(dialog);
    dialog.handle({
      ...told,
      ended: (by, request) => {
        transfer.drop();
        if (!this.#isOver) told.ended(by, request);
      },
      offered: (offer) => media.reoffered(offer),
      requested: (request) => transfer.requested(request),
    });
  }

  /** As `Leg.refer`. */
  refer(target: Parameters<Leg['refer']>[0], done: ReferHandler): void {
    if (this.#transfer && !this.#isOver) this.#transfer.refer(target, done);
    else done({ type: 'refused', status: NO_DIALOG });
  }

  /** As `Leg.referProgress`. */
  referProgress(status: number): void {
    if (!this.#isOver) this.#transfer?.progress(status);
  }

  /** As `Party.moveTo`. */
  async moveTo(family: string): Promise<boolean> {
    if (!this.#media || !this.#dialog || this.#isOver) return false;
    return moveMedia(this.#media, this.#dialog, { engine: this.#deps.media, family });
  }

  /** Hangs it up. */
  close(byeHeaders: readonly HeaderField[]): void {
    this.#isOver = true;
    this.#transfer?.close();
    this.#dialog?.bye(byeHeaders);
  }
}
