// From a noun of a Dial to the order of the call that rings it.
import { type HeaderField, parseUri } from '../../sip/index.ts';
import type { DialRules, DialTarget } from '../../twiml/index.ts';
import type { CallRow } from '../call-life.ts';
import type { CallScript } from '../call-script.ts';
import type { CallEvent, WebhookTarget } from '../order.ts';

/** A call that belongs to another. */
export interface ChildOrder {
  readonly parent: CallRow;
  readonly to: string;
  readonly from: string;
  /** Whom the callee sees calling, where it is not `from`. */
  readonly callerId?: string;
  /** Of a call that a PBX has transferred; a Dial's has none. */
  readonly trunk?: { readonly sid: string; readonly direction: CallRow['direction'] };
  /** Sid of the BYOC trunk, as written. */
  readonly byoc?: string;
  readonly timeoutS: number;
  /** Further headers of its INVITE. */
  readonly headers: readonly HeaderField[];
  readonly sipAuth?: { readonly username: string; readonly password: string };
  readonly statusCallback?: WebhookTarget & { readonly events: readonly CallEvent[] };
  readonly script: CallScript;
}

export function childOrder(given: {
  readonly target: DialTarget;
  readonly rules: DialRules;
  readonly caller: CallRow;
  readonly script: CallScript;
}): ChildOrder {
  const { target, rules, caller, script } = given;
  const { callback } = target;
  const shown = target.noun === 'Number' ? rules.callerNumber : rules.callerId;
  return {
    parent: caller,
    from: shown ?? callerIdOf(caller.from),
    timeoutS: rules.timeoutMs / 1000,
    ...destination(target),
    ...(callback && { statusCallback: { ...callback, events: callback.events as readonly CallEvent[] } }),
    script,
  };
}

type Destination = Pick<ChildOrder, 'to' | 'byoc' | 'headers' | 'sipAuth'>;

function destination(target: DialTarget): Destination {
  if (target.noun === 'Number') {
    const { number, byoc } = target;
    return { to: number, headers: [], ...(byoc !== undefined && { byoc }) };
  }
  const { address, credentials } = target;
  return {
    to: address.secure ? `${address.uri};secure=true` : address.uri,
    headers: address.headers.map(({ name, value }) => [name, value]),
    ...(credentials && { sipAuth: credentials }),
  };
}

/** A caller of a SIP domain is shown by the user part: the host says where they registered, not who they are. */
function callerIdOf(from: string): string {
  return from.startsWith('sip:') ? (parseUri(from).user ?? from) : from;
}
