// One leg's side of offer and answer (RFC 3264): its descriptions and their version, its SRTP keys, and what they settle.
import { isIP } from 'node:net';
import type { Random } from '../../lib/random.ts';
import type { MediaSession, PeerMedia } from '../../media/index.ts';
import {
  type AgreedMedia,
  type AudioDescription,
  acceptAnswer,
  type LocalMedia,
  makeSrtpKeys,
  readAudio,
  SdpError,
  type SrtpKey,
  writeAnswer,
  writeOffer,
} from '../../sdp/index.ts';
import type { Body } from '../../sip/index.ts';
import type { OfferTarget } from '../route/route-runner.ts';
import { SDP } from './invite-template.ts';

/** What Twilio offers where it offers SRTP; as an answer, both suites are taken. */
const OFFERED_SUITES = ['AES_CM_128_HMAC_SHA1_80'] as const;

export interface LegMediaGivens {
  readonly session: MediaSession;
  /** SRTP keys come from it. */
  readonly random: Random;
  /** Of its descriptions (RFC 8866 §5.2): digits. */
  readonly sessionId: string;
  /** Whether the peer's offers must be SRTP; else they may not be. An offer of ours says so for itself. */
  readonly secure?: boolean;
  /** Address the peer's signalling comes from. */
  readonly signalledFrom?: string;
}

export class LegMedia {
  readonly #random: Random;
  readonly #sessionId: string;
  readonly #signalledFrom: string | undefined;
  #secure: boolean;
  #keys: readonly SrtpKey[] = [];
  #version = 1;
  /** Where the peer's media comes from, as far as that is known: its kind of address, IPv4 or IPv6, is ours too. */
  #towards: string | undefined;
  #described: string | undefined;
  #session: MediaSession;
  /** The peer was offered it in place of the other one. */
  #next: MediaSession | undefined;

  constructor({ session, random, sessionId, secure = false, signalledFrom }: LegMediaGivens) {
    this.#session = session;
    this.#random = random;
    this.#sessionId = sessionId;
    this.#secure = secure;
    this.#signalledFrom = signalledFrom;
    if (secure) this.#keys = this.#makeKeys();
  }

  get session(): MediaSession {
    return this.#session;
  }

  /** Its ports are free. */
  close(): void {
    this.#session.close();
    this.#next?.close();
  }

  /**
   * Offers the same media at another session of ours; until `answered` takes the answer, everything stays as it is.
   * `answered` throws SdpError where that cannot be used.
   */
  offerMove(to: MediaSession): { readonly body: Body; answered(answer: string): void; refused(): void } {
    const keys = this.#secure ? this.#makeKeys(OFFERED_SUITES) : [];
    const srtp = keys.length > 0 ? { srtp: keys } : {};
    this.#next = to;
    const place = this.#placeOf(to);
    const { body } = this.#describe((local) => ({ sdp: writeOffer({ ...local, ...place, ...srtp }) }));
    return {
      body,
      answered: (answer) => {
        const agreed = acceptAnswer(this.#read(answer), { srtp: keys });
        const before = this.#session;
        this.#keys = keys;
        this.#session = to;
        this.#next = undefined;
        this.#connect(agreed);
        before.close();
      },
      refused: () => {
        this.#next = undefined;
        to.close();
      },
    };
  }

  /**
   * An offer, for a target at the address `to`. Where it is secure, with keys that no one has seen: those of an earlier one
   * were for another target; `again`: this one is offered the same at the same time.
   */
  offer({ secure, to, again = false }: OfferTarget): Body {
    this.#secure = secure;
    this.#towards = to;
    if (!again) this.#keys = secure ? this.#makeKeys(OFFERED_SUITES) : [];
    return this.#describe((local) => ({ sdp: writeOffer(local) })).body;
  }

  /**
   * Takes the answer to the last offer: media flows.
   * @throws {SdpError} where it cannot be used.
   */
  answered(answer: string): void {
    const description = this.#read(answer);
    this.#towards = description.address;
    this.#connect(acceptAnswer(description, { srtp: this.#keys }));
  }

  /**
   * Answers an offer of the peer: media flows. Holding, and taking back from hold, is answered in kind.
   * @throws {SdpError} where it cannot be used.
   */
  answer(offer: string | AudioDescription): Body {
    const description = typeof offer === 'string' ? this.#read(offer) : offer;
    this.#towards ??= description.address;
    const { body, peer } = this.#describe((local) => writeAnswer(description, local));
    this.#connect(peer);
    return body;
  }

  /** The same for an offer inside a dialog: 488 where it cannot be used, and media stays as it was. */
  reoffered(offer: string): Body | number {
    try {
      return this.answer(offer);
    } catch (error) {
      if (error instanceof SdpError) return 488;
      throw error;
    }
  }

  #read(sdp: string): AudioDescription {
    return readAudio(sdp, this.#secure ? 'required' : 'none');
  }

  #connect(peer: AgreedMedia): void {
    const from = this.#signalledFrom;
    const media: PeerMedia = from === undefined ? peer : { ...peer, signalledFrom: from };
    this.session.connect(media);
  }

  /** The version grows only where the description differs from the one before (RFC 3264 §8). */
  #describe<T extends { readonly sdp: string }>(
    write: (local: LocalMedia) => T,
  ): T & { readonly body: Body } {
    let written = write(this.#local());
    if (this.#described !== undefined && written.sdp !== this.#described) {
      this.#version += 1;
      written = write(this.#local());
    }
    this.#described = written.sdp;
    return { ...written, body: { contentType: SDP, content: written.sdp } };
  }

  #placeOf({ local }: MediaSession): Pick<LocalMedia, 'address' | 'port'> {
    const { address, otherAddress, port } = local;
    const isOther = otherAddress !== undefined && isIP(otherAddress) === isIP(this.#towards ?? '');
    return { address: isOther ? otherAddress : address, port };
  }

  #local(): LocalMedia {
    return {
      ...this.#placeOf(this.#session),
      sessionId: this.#sessionId,
      version: this.#version,
      ...(this.#keys.length > 0 && { srtp: this.#keys }),
    };
  }

  #makeKeys(suites?: typeof OFFERED_SUITES): readonly SrtpKey[] {
    return makeSrtpKeys((bytes) => Buffer.from(this.#random.hex(bytes), 'hex'), suites);
  }
}
