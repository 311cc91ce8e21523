// What the store knows of a call's dialogs: what ends them where this process is lost.
import type { Dialog } from '../sip/index.ts';
import type { JournalEntry } from '../store/index.ts';
import type { CallRow } from './call-life.ts';

type Entry = Pick<JournalEntry<CallRow>, 'dialogs' | 'hungUp'>;

const NOTHING: Entry = {};

export class KeptDialogs {
  readonly #callSid: string;
  /** Where each goes, by our tag. */
  readonly #targets = new Map<string, string>();

  constructor(callSid: string) {
    this.#callSid = callSid;
  }

  /** Those that the store does not know, or knows with another target. */
  changed(up: readonly Dialog[]): Entry {
    const news = up
      .map(({ identity }) => identity)
      .filter(({ localTag, remoteTarget }) => this.#targets.get(localTag) !== remoteTarget);
    if (news.length === 0) return NOTHING;
    for (const { localTag, remoteTarget } of news) this.#targets.set(localTag, remoteTarget);
    return { dialogs: news.map((identity) => ({ callSid: this.#callSid, identity })) };
  }

  /** The call has ended. */
  over(): Entry {
    return this.#targets.size === 0 ? NOTHING : { hungUp: this.#callSid };
  }
}
