// A call of an Elastic trunk from its start to its end: its leg, its recording, and disaster recovery.

import type { MediaSession } from '../../media/index.ts';
import type { Row, trunk } from '../../resources/index.ts';
import { mayShowCaller, parseUri } from '../../sip/index.ts';
import type { Call, CallScript } from '../call.ts';
import type { CallRow } from '../call-life.ts';
import type { Leg, LegObserver } from '../leg/leg.ts';
import type { CalleeInvite } from '../leg/outbound-leg.ts';
import type { WebhookTarget } from '../order.ts';
import { type CallEnding, NEVER_RANG } from '../outcome.ts';
import type { LiveRecording } from '../recording/live.ts';
import { requestUri } from '../route/request-uri.ts';
import type { FormParameters } from '../webhook/signature.ts';
import { CallTransfers } from './call-transfers.ts';
import { ThroughLeg, type ThroughLegGivens } from './through-leg.ts';
import type { TrunkWorld } from './trunk-world.ts';

export interface TrunkCallGivens {
  readonly trunk: Row<typeof trunk>;
  /** Seconds from the answer. */
  readonly timeLimitS: number;
  readonly caller: ThroughLegGivens['caller'];
  readonly callee: Pick<ThroughLegGivens['callee'], 'plan'>;
  /** @param callerName what `callerName` found */
  template(row: CallRow, callerName: string | undefined): CalleeInvite;
  /** Looks the caller's name up. */
  readonly callerName?: () => Promise<string | undefined>;
  /** Of a call for a PBX. */
  readonly origination?: Origination;
}

export interface Origination {
  /** The number that is called. */
  readonly number: string;
  /** Whose TwiML runs where no URL can take the call. */
  readonly disasterRecovery?: WebhookTarget;
}

/** No target could take the call: what Twilio calls it, at the PBX's side and at a carrier's. */
const NO_URL = 32010;
const PBX_FAILED = 32011;
const CARRIERS_FAILED = 32400;
/** Of one that could not, in either case. */
const UNDELIVERED: readonly (number | undefined)[] = [CARRIERS_FAILED, NEVER_RANG];
/** Twilio: the carrier blocked the caller; and the answer that says so (RFC 8688). */
const BLOCKED = 32017;
const REJECTED = 608;

export class TrunkCall {
  readonly script: CallScript;
  readonly #givens: TrunkCallGivens;
  #leg: ThroughLeg | undefined;
  #call: Call | undefined;
  #callerName: string | undefined;
  #recording: LiveRecording | undefined;
  #transfers: CallTransfers | undefined;
  /** What requests to the disaster recovery URL tell of it. */
  #recovery: FormParameters | undefined;

  constructor(givens: TrunkCallGivens) {
    this.#givens = givens;
    const parameters = (): FormParameters => this.#recovery ?? [];
    const isFromRinging = givens.trunk.recordingMode.startsWith('record-from-ringing');
    const record = (): void => this.#leg?.whenOpen((session) => this.#record(session));
    this.script = {
      get parameters() {
        return parameters();
      },
      timeLimitS: givens.timeLimitS,
      begun: (call) => {
        this.#call = call;
      },
      ...(isFromRinging && { ringing: record, early: record }),
      connected: (_call, session) => this.#connected(session),
      redirected: (call) => {
        this.#transfers?.redirected();
        this.#leg?.leaveCallee(call.byeHeaders);
      },
      ended: () => this.#transfers?.ended(),
    };
  }

  leg(world: TrunkWorld, row: CallRow, observer: LegObserver): Leg {
    const { caller, callee, callerName, template } = this.#givens;
    const transfers = this.#transfersOf(row, world);
    this.#transfers = transfers;
    this.#leg = new ThroughLeg(
      world,
      {
        caller,
        callee: { ...callee, template: () => template(row, this.#callerName) },
        family: row.sid,
        ...(callerName && { prepare: () => this.#name(callerName) }),
        unreached: (ending) => this.#unreached(ending),
        answered: (side, dialog) => transfers.answered(side, dialog),
        referred: (side, request) => transfers.referred(side, request),
      },
      observer,
    );
    return this.#leg;
  }

  #transfersOf({ from, to }: CallRow, world: TrunkWorld): CallTransfers {
    const { trunk, caller, origination } = this.#givens;
    return new CallTransfers({
      world,
      trunk,
      pbx: origination ? 'callee' : 'caller',
      parties: {
        transferee: origination ? from : to,
        transferor: origination ? origination.number : from,
        isHidden: origination !== undefined && !mayShowCaller(caller.invite.request),
      },
      live: () => (this.#call && this.#leg ? { call: this.#call, leg: this.#leg } : undefined),
      record: (call, session) => void this.#recordingOf(call, session),
    });
  }

  async #name(find: () => Promise<string | undefined>): Promise<void> {
    const name = await find();
    if (name === undefined || !this.#call || this.#call.ended) return;
    this.#callerName = name;
    this.#call.named(name);
  }

  #connected(session: MediaSession): void {
    if (this.#recovery || !this.#call) return;
    this.#readdress(this.#call);
    this.#record(session);
  }

  /** The record names the URL that took the call. */
  #readdress(call: Call): void {
    const { origination } = this.#givens;
    const reached = call.trace.attempts.at(-1)?.uri;
    if (!origination || reached === undefined) return;
    const to = pbxUri(reached, origination.number);
    if (to !== call.row.to) call.readdress({ to });
  }

  #record(session: MediaSession): void {
    if (this.#recording || this.#recovery || !this.#call || this.#call.ended) return;
    this.#recording = this.#recordingOf(this.#call, session);
  }

  /** As the trunk wants it; undefined where it wants none. */
  #recordingOf(call: Call, session: MediaSession): LiveRecording | undefined {
    const { recordingMode, recordingTrim } = this.#givens.trunk;
    if (recordingMode === 'do-not-record') return undefined;
    return call.record(session, {
      source: 'Trunking',
      channels: recordingMode.endsWith('-dual') ? 2 : 1,
      track: 'both',
      trimSilence: recordingTrim === 'trim-silence',
    });
  }

  #unreached(ending: CallEnding): CallEnding | undefined {
    const { origination } = this.#givens;
    const { errorCode, sipStatus } = ending;
    if (!origination) return sipStatus === REJECTED ? { ...ending, errorCode: BLOCKED } : ending;
    const isTried = UNDELIVERED.includes(errorCode);
    if (!isTried && errorCode !== NO_URL) return ending;
    const after = isTried ? { ...ending, errorCode: PBX_FAILED } : ending;
    return this.#recover(origination, after) ? undefined : after;
  }

  /** From here on it is a call like any that comes in (Twilio: "Disaster Recovery"). */
  #recover({ number, disasterRecovery }: Origination, { errorCode, sipStatus, why }: CallEnding): boolean {
    const call = this.#call;
    if (!disasterRecovery || !call || errorCode === undefined) return false;
    this.#recovery = [
      ['TrunkSid', this.#givens.trunk.sid],
      ['ErrorCode', String(errorCode)],
      ...(sipStatus === undefined ? [] : [['SipResponseCode', String(sipStatus)] as const]),
    ];
    void this.#recording?.stop();
    // Of a URL that failed there is a Notification each.
    if (errorCode === NO_URL) call.warn(errorCode, why);
    call.note('call', 'the disaster recovery URL of the trunk is asked');
    call.readdress({ to: number, direction: 'inbound' });
    call.runTwiml(disasterRecovery);
    return true;
  }
}

/** The PBX as the call's record names it: the Request-URI it is called by. */
export const pbxUri = (target: string, number: string): string => requestUri(parseUri(target), number).uri;
