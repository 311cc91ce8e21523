// An INVITE that takes the place of a dialog of ours (RFC 3891 §3): which dialog it names, and whether it may be had.
import type { Roster } from '../../lib/roster.ts';
import type { Dialog, RequestView } from '../agent.ts';
import type { Refusal } from '../message/check.ts';
import { parseReplaces, type Replaces } from '../message/refer.ts';
import { SipSyntaxError } from '../message/syntax-error.ts';
import type { InboundDialog } from '../stack.ts';
import { dialogKey } from './dialog.ts';

export type Dialogs = Pick<Roster<InboundDialog>, 'get'>;

/** Undefined without Replaces: the INVITE is one of its own. */
export type Replaced =
  | { readonly kind: 'dialog'; readonly dialog: Dialog }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

const refused = (status: number, reason?: string): Replaced => ({
  kind: 'refused',
  refusal: { status, ...(reason !== undefined && { reason }) },
});

/** A dialog without its answer is not replaced: whoever rings at one of our callees hears that from the callee. */
export function replacedBy(invite: RequestView, dialogs: Dialogs): Replaced | undefined {
  const [value, ...more] = invite.headers('Replaces');
  if (value === undefined) return undefined;
  if (more.length > 0) return refused(400, 'Bad Request: Replaces more than once');
  const replaces = read(value);
  if (!replaces) return refused(400, 'Bad Request: malformed Replaces');
  const named = dialogNamed(replaces, dialogs);
  if (!named) return refused(481);
  switch (named.standing) {
    case 'early':
      return refused(481);
    case 'ended':
      return refused(603);
    case 'confirmed':
      return replaces.earlyOnly ? refused(486) : { kind: 'dialog', dialog: named };
  }
}

/** The dialog that goes by this Call-ID and these tags here, whatever its standing. */
export const dialogNamed = (
  { callId, toTag, fromTag }: Replaces,
  dialogs: Dialogs,
): InboundDialog | undefined => dialogs.get(dialogKey(callId, toTag, fromTag));

function read(value: string): Replaces | undefined {
  try {
    return parseReplaces(value);
  } catch (error) {
    if (error instanceof SipSyntaxError) return undefined;
    throw error;
  }
}
