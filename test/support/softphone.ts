// A phone that calls: its own SIP stack and media, what it was told, and what it hears.
import { systemClock } from '../../src/lib/clock.ts';
import { silentLog } from '../../src/lib/log.ts';
import { systemRandom } from '../../src/lib/random.ts';
import {
  createMediaEngine,
  type LocalMediaEngine,
  type MediaSession,
  toneLevel,
} from '../../src/media/index.ts';
import {
  acceptAnswer,
  makeSrtpKeys,
  readAudio,
  SdpError,
  writeAnswer,
  writeOffer,
} from '../../src/sdp/index.ts';
import {
  type Body,
  bracketed,
  createUserAgent,
  type Dialog,
  type DialogHandlers,
  type InviteOptions,
  type RequestReply,
  type RequestView,
  type ResponseView,
  type ServerInvite,
  type SipUserAgent,
} from '../../src/sip/index.ts';
import { certificateFor } from './certificates.ts';

const random = systemRandom();
const SDP = 'application/sdp';
/** Of every phone; whoever calls one over TLS trusts it. */
export const PHONE_CERTIFICATE = certificateFor('127.0.0.1');

export type CallOptions = Omit<InviteOptions, 'from' | 'body'> & {
  readonly from?: string;
  /** Offers SRTP and takes nothing else. */
  readonly srtp?: boolean;
};

export class Softphone {
  readonly agent: SipUserAgent;
  readonly #media: LocalMediaEngine;

  private constructor(agent: SipUserAgent, media: LocalMediaEngine) {
    this.agent = agent;
    this.#media = media;
  }

  static async open(host = '127.0.0.1'): Promise<Softphone> {
    const ports = { first: 14_000, last: 15_999 };
    const [agent, media] = await Promise.all([
      createUserAgent({
        clock: systemClock,
        random,
        log: silentLog,
        listen: [
          { host, port: 0 },
          { host, port: 0, transport: 'tcp' },
          { host, port: 0, transport: 'tls' },
        ],
        tls: PHONE_CERTIFICATE,
        dialogMethods: ['REFER'],
      }),
      createMediaEngine({ address: host, ports, log: silentLog }),
    ]);
    return new Softphone(agent, media);
  }

  async close(): Promise<void> {
    await this.agent.close();
    await this.#media.close();
  }

  /** `sip:127.0.0.1:port`, with the transport where it is not UDP. */
  uri(transport: 'udp' | 'tcp' | 'tls' = 'udp', user?: string): string {
    const { address = '', port } = this.agent.listening.find((place) => place.transport === transport) ?? {};
    const at = user === undefined ? '' : `${user}@`;
    return `sip:${at}${bracketed(address)}:${port}${transport === 'udp' ? '' : `;transport=${transport}`}`;
  }

  /** From when this resolves, calls are answered or refused; what it resolves with waits for the first one. */
  async expects(how: Answering = {}): Promise<() => Promise<TakenCall>> {
    const session = await this.#media.open({ family: 'phone', captureMs: 40_000 });
    const { promise, resolve } = Promise.withResolvers<TakenCall>();
    this.agent.onInvite((invite) => {
      const call = new TakenCall(invite.request, session);
      if (how.refuses === undefined) take(invite, call, how);
      else invite.reject(how.refuses);
      resolve(call);
    });
    return () => promise;
  }

  async call(options: CallOptions): Promise<SoftCall> {
    const session = await this.#media.open({ family: 'phone', captureMs: 40_000 });
    return new SoftCall(this.agent, session, options);
  }
}

export interface Answering {
  readonly srtp?: boolean;
  /** The status that refuses the call. */
  readonly refuses?: number;
  /** In place of an answer that fits. */
  readonly sdp?: string;
  /** It is heard before it answers, which it does when `pickUp` is called. */
  readonly early?: boolean;
}

const makeKeys = () => makeSrtpKeys((bytes) => Buffer.from(random.hex(bytes), 'hex'));

function take(invite: ServerInvite, call: TakenCall, { srtp = false, early, sdp }: Answering): void {
  try {
    const { session } = call;
    const offer = readAudio(invite.request.body, srtp ? 'required' : 'none');
    const local = { ...session.local, sessionId: '1', version: 1, ...(srtp && { srtp: makeKeys() }) };
    const answer = writeAnswer(offer, local);
    const description = { contentType: SDP, content: sdp ?? answer.sdp };
    session.connect(answer.peer);
    call.pickUp = () => call.answered(invite.accept(description));
    if (early) invite.progress(183, description);
    else call.pickUp();
  } catch (error) {
    if (!(error instanceof SdpError)) throw error;
    invite.reject(488);
  }
}

/** A call that came to the phone. */
export class TakenCall {
  readonly request: RequestView;
  readonly session: MediaSession;
  readonly ended: Promise<Ending>;
  pickUp: () => void = () => {};
  /** What answers a re-INVITE. */
  reoffered: DialogHandlers['offered'] = () => 488;
  /** Requests inside the dialog, as NOTIFY. */
  readonly requests: RequestView[] = [];
  /** The dialog, once it has answered. */
  readonly picked: Promise<Dialog>;
  #version = 1;
  readonly #pick = Promise.withResolvers<Dialog>();
  readonly #end = Promise.withResolvers<Ending>();
  #dialog: Dialog | undefined;

  constructor(request: RequestView, session: MediaSession) {
    this.request = request;
    this.session = session;
    this.ended = this.#end.promise;
    this.picked = this.#pick.promise;
  }

  answered(dialog: Dialog): void {
    this.#dialog = dialog;
    dialog.handle({
      ended: (by, request) => this.#end.resolve({ by, request }),
      offered: (offer) => this.reoffered(offer),
      requested: (request) => {
        this.requests.push(request);
        return 200;
      },
    });
    this.#pick.resolve(dialog);
  }

  /** Takes a re-INVITE: sound goes where it says. */
  follow(offer: string): Body {
    this.#version += 1;
    const local = { ...this.session.local, sessionId: '1', version: this.#version };
    const { sdp, peer } = writeAnswer(readAudio(offer, 'none'), local);
    this.session.connect(peer);
    return { contentType: SDP, content: sdp };
  }

  hangUp(): void {
    this.#dialog?.bye();
  }

  /** Everything heard since it was answered, 8 kHz. */
  heard(): Promise<Int16Array> {
    return this.session.captured();
  }
}

/** A fifth of a second. */
const WINDOW = 1600;

/** Whether the tone was heard clearly, if only for a moment: under load sound has gaps. */
export async function hearsTone(party: { heard(): Promise<Int16Array> }, hz: number): Promise<boolean> {
  const heard = await party.heard();
  for (let at = 0; at + WINDOW <= heard.length; at += WINDOW) {
    const window = heard.subarray(at, at + WINDOW);
    const level = toneLevel(window, hz);
    if (level > 0.01 && level > 10 * toneLevel(window, 1400)) return true;
  }
  return false;
}

/** Why a call that was up is over. */
export interface Ending {
  readonly by: 'remote' | 'local' | 'failure';
  readonly request?: RequestView | undefined;
}

export class SoftCall {
  /** Every response but 100, in order. */
  readonly responses: ResponseView[] = [];
  readonly session: MediaSession;
  /** The Call-ID. */
  readonly callId: string;
  /** The dialog, once it is answered; rejects when it is refused. */
  readonly answered: Promise<Dialog>;
  /** The final response. */
  readonly final: Promise<ResponseView>;
  readonly ended: Promise<Ending>;
  /** Requests inside the dialog, as REFER and NOTIFY; answered with `reply`. */
  readonly requests: RequestView[] = [];
  reply: (request: RequestView) => RequestReply | number = () => 200;
  readonly #keys;
  readonly #invite;
  #version = 1;
  #dialog: Dialog | undefined;
  #over = false;

  constructor(agent: SipUserAgent, session: MediaSession, { srtp, ...options }: CallOptions) {
    this.session = session;
    this.#keys = srtp ? makeKeys() : undefined;
    const answered = Promise.withResolvers<Dialog>();
    const final = Promise.withResolvers<ResponseView>();
    const ended = Promise.withResolvers<Ending>();
    this.answered = answered.promise;
    this.final = final.promise;
    this.ended = ended.promise;
    answered.promise.catch(() => {});
    final.promise.catch(() => {});
    this.#invite = agent.invite(
      {
        from: 'sip:caller@elsewhere.example',
        ...options,
        body: { contentType: SDP, content: writeOffer(this.#local()) },
      },
      {
        provisional: (response) => {
          if (response.status > 100) this.responses.push(response);
          if (response.body !== '') this.#connect(response.body);
        },
        answered: (dialog, response) => {
          this.#dialog = dialog;
          this.responses.push(response);
          this.#connect(response.body);
          dialog.handle({
            ended: (by, request) => {
              this.#over = true;
              ended.resolve({ by, request });
            },
            offered: (offer) => {
              this.#version += 1;
              const { sdp, peer } = writeAnswer(readAudio(offer, this.#use), this.#local());
              session.connect(peer);
              return { contentType: SDP, content: sdp };
            },
            requested: (request) => {
              this.requests.push(request);
              return this.reply(request);
            },
          });
          final.resolve(response);
          answered.resolve(dialog);
        },
        failed: (failure) => {
          const error = new Error(
            failure.kind === 'response' ? `${failure.response.status}` : JSON.stringify(failure),
          );
          answered.reject(error);
          if (failure.kind !== 'response') return final.reject(error);
          this.responses.push(failure.response);
          final.resolve(failure.response);
        },
      },
    );
    this.callId = this.#invite.callId;
  }

  get statuses(): number[] {
    return this.responses.map(({ status }) => status);
  }

  cancel(): void {
    this.#invite.cancel();
  }

  hangUp(): void {
    this.#dialog?.bye();
  }

  get isOver(): boolean {
    return this.#over;
  }

  /** Everything heard since it was connected, 8 kHz. */
  heard(): Promise<Int16Array> {
    return this.session.captured();
  }

  /** Offers another direction by re-INVITE. @returns the SDP of the answer. */
  async offer(direction: 'sendrecv' | 'sendonly' | 'inactive'): Promise<string> {
    this.#version += 1;
    const content = writeOffer({ ...this.#local(), direction });
    const dialog = this.#dialog as Dialog;
    return new Promise((resolve, reject) => {
      dialog.reoffer({ contentType: SDP, content }, (outcome) => {
        if (outcome.kind !== 'response' || outcome.response.status >= 300)
          return reject(new Error(outcome.kind === 'response' ? `${outcome.response.status}` : outcome.kind));
        this.#connect(outcome.response.body, direction);
        resolve(outcome.response.body);
      });
    });
  }

  #connect(answer: string, direction: 'sendrecv' | 'sendonly' | 'inactive' = 'sendrecv'): void {
    this.session.connect(
      acceptAnswer(readAudio(answer, this.#use), { direction, ...(this.#keys && { srtp: this.#keys }) }),
    );
  }

  get #use(): 'required' | 'none' {
    return this.#keys ? 'required' : 'none';
  }

  #local() {
    const sessionId = String(this.session.local.port);
    return {
      ...this.session.local,
      sessionId,
      version: this.#version,
      ...(this.#keys && { srtp: this.#keys }),
    };
  }
}
