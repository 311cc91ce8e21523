// From a noun of a Dial to the order of the call that rings it.
import { parseUri } from '../../sip/index.ts';
import type { DialRules, DialTarget } from '../../twiml/index.ts';
import type { CallScript, ChildOrder } from '../call.ts';
import type { CallRow } from '../call-life.ts';
import type { CallEvent } from '../order.ts';

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
