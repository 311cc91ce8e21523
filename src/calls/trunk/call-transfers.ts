// What a PBX may do with one call of its trunk: transfer it by REFER, join it with another of its calls, and take it to
// another of its phones.
import { type Refusal, refuseWithoutCode } from '../../admission/index.ts';
import type { MediaSession } from '../../media/index.ts';
import { type Row, trunk } from '../../resources/index.ts';
import {
  type Dialog,
  formatAddress,
  type HeaderField,
  type ReferTarget,
  type RequestReply,
  type RequestView,
  referredBy,
  referTargetOf,
  SipSyntaxError,
} from '../../sip/index.ts';
import type { Call } from '../call.ts';
import { TRANSFER_REFUSED } from '../leg/leg-transfer.ts';
import type { Seat } from './seat.ts';
import type { ThroughLegGivens } from './through-leg.ts';
import { Transfer } from './transfer.ts';
import {
  judgeJoining,
  judgeTransfer,
  type TransferRefusal,
  type TransferVerdict,
} from './transfer-policy.ts';
import { CalledTarget, type OtherCall, OtherParty, type TransferTarget } from './transfer-target.ts';
import type { TrunkWorld } from './trunk-world.ts';

export interface CallTransfersGivens {
  readonly world: TrunkWorld;
  /** As the call began. */
  readonly trunk: Row<typeof trunk>;
  readonly pbx: OtherCall['pbx'];
  /** Numbers, or SIP URIs. */
  readonly parties: {
    readonly transferee: string;
    readonly transferor: string;
    /** The transferee does not want to be shown. */
    readonly isHidden: boolean;
  };
  /** From the answer on. */
  live(): Pick<OtherCall, 'call' | 'leg'> | undefined;
  /** Records a call of the trunk where that is wanted. */
  record(call: Call, session: MediaSession): void;
}

/** Seconds that the target may ring. */
const RING_S = 60;
const ANONYMOUS = 'sip:anonymous@anonymous.invalid';

/** Twilio: the account may not call the country. */
const NO_PERMISSION = 32_205;
const NOT_PERMITTED: RequestReply = {
  status: 403,
  headers: [['X-Twilio-Error', `${NO_PERMISSION} SIP: No permission to call the country of the number`]],
};

/** Who asks for the transfer, as the target is told (RFC 3892 §2.2); signed bodies do not go on. */
function referrerOf(request: RequestView): readonly HeaderField[] {
  try {
    const by = referredBy(request);
    return by ? [['Referred-By', formatAddress({ uri: by.uri, name: by.name })]] : [];
  } catch (error) {
    // A name that was read may not be one that can be written: with a tab in it, for instance.
    if (error instanceof SipSyntaxError) return [];
    throw error;
  }
}

const refused = (why: string): TransferRefusal => ({ kind: 'refused', code: 32_218, why });

export class CallTransfers implements Seat {
  readonly #givens: CallTransfersGivens;
  #transfer: Transfer | undefined;
  readonly #afterwards: (() => void)[] = [];

  constructor(givens: CallTransfersGivens) {
    this.#givens = givens;
  }

  get trunkSid(): string {
    return this.#givens.trunk.sid;
  }

  get place() {
    const { trunk } = this.#givens;
    return { kind: 'trunk', host: trunk.domainName ?? '', trunk: this.#trunk } as const;
  }

  /** One of the call's parties has this dialog now. */
  answered(side: OtherCall['pbx'], dialog: Dialog): void {
    if (side === this.#givens.pbx) this.#givens.world.seats.set(dialog, this);
  }

  /** The call runs other TwiML. */
  redirected(): void {
    this.#transfer?.feed({ type: 'redirected' });
    this.#transfer = undefined;
    this.ended();
  }

  /** Nobody is to be joined with it any more. */
  ended(): void {
    for (const then of this.#afterwards.splice(0)) then();
  }

  /** What answers a party's REFER. */
  referred(side: OtherCall['pbx'], request: RequestView): RequestReply | number {
    const live = this.#givens.live();
    const target = referTargetOf(request);
    if (!target) return 400;
    if (!live) return TRANSFER_REFUSED;
    const found =
      side === this.#givens.pbx
        ? this.#targetOf(target, referrerOf(request), live)
        : refused('a carrier asked for it');
    if ('code' in found) {
      live.call.fault(found.code, `a transfer was refused: ${found.why}`);
      return found.code === NO_PERMISSION ? NOT_PERMITTED : TRANSFER_REFUSED;
    }
    live.call.note('call', `is to be transferred to ${found.name}`);
    // After the response, which is sent when this returns.
    queueMicrotask(() => this.#begin(live, found));
    return 202;
  }

  /** Takes an INVITE of the PBX that comes in place of its own leg. */
  takeOver(caller: ThroughLegGivens['caller'], trunkSid: string): Refusal | undefined {
    const live = this.#givens.live();
    if (!live || trunkSid !== this.trunkSid)
      return refuseWithoutCode(403, {
        why: 'its Replaces names a call of another trunk',
        fix: 'have the PBX call over the trunk of the call that it takes over',
      });
    if (!live.leg.isSettled)
      return refuseWithoutCode(491, {
        why: 'the call that its Replaces names is being transferred',
        fix: 'have the PBX call again when the transfer is over',
      });
    live.leg.takeOver(this.#givens.pbx, caller, () => {
      live.call.note('call', 'the PBX has taken it to another phone');
      this.#record(live.call, live.leg.session);
    });
    return undefined;
  }

  /** As it is now. */
  get #trunk(): Row<typeof trunk> {
    const { world, trunk: before } = this.#givens;
    return world.directory.find(trunk, before.sid) ?? before;
  }

  #begin(live: Pick<OtherCall, 'call' | 'leg'>, target: TransferTarget): void {
    const { world, pbx } = this.#givens;
    const restored = (): void => {
      this.#transfer = undefined;
    };
    this.#transfer = new Transfer({ ...live, clock: world.clock, transferor: pbx, target, restored });
    this.#transfer.begin();
  }

  /** @param referrer tells a target who is called by whose wish that is */
  #targetOf(
    target: ReferTarget,
    referrer: readonly HeaderField[],
    live: Pick<OtherCall, 'call' | 'leg'>,
  ): TransferTarget | TransferRefusal {
    const { agent, seats, ...world } = this.#givens.world;
    if (this.#transfer || !live.leg.isSettled)
      return refused('another transfer is under way, or the call is not up yet');
    const dialog = target.replaces && agent.dialogOf(target.replaces);
    if (dialog) return judgeJoining(this.#trunk) ?? this.#otherParty(seats.get(dialog), live);
    const verdict = judgeTransfer(target, this.#trunk, { ...world, own: agent.listening });
    return verdict.kind === 'refused' ? verdict : this.#called(verdict, referrer, live.call);
  }

  #otherParty(
    other: Seat | undefined,
    { call, leg }: Pick<OtherCall, 'call' | 'leg'>,
  ): TransferTarget | TransferRefusal {
    const there = other?.trunkSid === this.trunkSid && other !== this ? other.offered() : undefined;
    if (!there) return refused('its Replaces names no call of the PBX that could be joined');
    const { session } = leg.party(this.#givens.pbx === 'caller' ? 'callee' : 'caller');
    const joined = (): void => this.#record(call, session);
    return new OtherParty(there, { session, family: call.family, joined });
  }

  /** The call, where its far party may be joined with another. */
  offered(): OtherCall | undefined {
    const live = this.#givens.live();
    if (!live?.leg.isSettled || live.call.ended) return undefined;
    return {
      ...live,
      pbx: this.#givens.pbx,
      whenEnded: (then) => {
        this.#afterwards.push(then);
      },
    };
  }

  /** Logged as the transferee's call, whoever is shown to the target (Twilio: "Call Transfer via SIP REFER"). */
  #called(
    verdict: Exclude<TransferVerdict, TransferRefusal>,
    referrer: readonly HeaderField[],
    call: Call,
  ): TransferTarget {
    const { parties, world, record } = this.#givens;
    const { sid, transferCallerId } = this.#trunk;
    const isNumber = verdict.kind === 'number';
    const order = {
      parent: call.row,
      to: verdict.to,
      from: parties.transferee,
      ...this.#shown(transferCallerId),
      timeoutS: RING_S,
      timeLimitS: world.timeLimitS,
      headers: [...(isNumber ? [] : verdict.headers), ...referrer, ...this.#privacy(transferCallerId)],
      trunk: { sid, direction: isNumber ? 'trunking-terminating' : 'trunking-originating' },
    } as const;
    return new CalledTarget(call, order, record);
  }

  #shown(callerId: string): { readonly callerId?: string } {
    const { transferor, isHidden } = this.#givens.parties;
    if (callerId === 'from-transferor') return { callerId: transferor };
    return isHidden ? { callerId: ANONYMOUS } : {};
  }

  #privacy(callerId: string): readonly (readonly [string, string])[] {
    return this.#givens.parties.isHidden && callerId === 'from-transferee' ? [['Privacy', 'id']] : [];
  }

  /** It is the caller who is recorded: where that is the PBX, the recording ends with the leg that it leaves. */
  #record(call: Call, session: MediaSession | undefined): void {
    if (this.#givens.pbx === 'caller' && session) this.#givens.record(call, session);
  }
}
