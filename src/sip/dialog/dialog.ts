// A dialog's identity, sequence numbers and route set: values only (RFC 3261 §12).
import { splitList } from '../message/grammar.ts';
import { HEADER } from '../message/headers.ts';
import type { SipMessage } from '../message/message.ts';
import { addressUri, checkNameAddr, isLooseRoute } from '../message/name-addr.ts';
import { checked } from '../message/octets.ts';
import type { RequestParts } from '../message/serialize.ts';

export interface DialogState {
  readonly callId: string;
  readonly localTag: string;
  /** Empty with a peer of RFC 2543. */
  readonly remoteTag: string;
  /** The From and To of our requests, tags included. */
  readonly local: string;
  readonly remote: string;
  /** Route values, nearest first. */
  readonly routeSet: readonly string[];
  /** URI of the peer's Contact. */
  readonly remoteTarget: string;
  readonly localSeq: number;
  readonly remoteSeq: number;
}

/** Under which a dialog is found: Call-ID and both tags. Joined, so that it keeps no datagram alive. */
export const dialogKey = (callId: string, localTag: string, remoteTag: string): string =>
  [callId, localTag, remoteTag].join('\n');

/**
 * The dialog that a 2xx to our INVITE makes (RFC 3261 §12.1.2).
 * @throws {SipSyntaxError} when a part of it could not be put into a request.
 */
export function uacDialog(
  invite: Pick<RequestParts, 'callId' | 'from' | 'to' | 'uri' | 'seq'>,
  localTag: string,
  response: SipMessage,
): DialogState {
  return writable({
    callId: invite.callId,
    localTag,
    remoteTag: response.toTag,
    local: invite.from,
    remote: response.value(HEADER.to) ?? invite.to,
    routeSet: recordRoute(response).toReversed(),
    remoteTarget: contactUri(response) ?? invite.uri,
    localSeq: invite.seq,
    remoteSeq: -1,
  });
}

/**
 * The dialog that our answer to an INVITE makes (RFC 3261 §12.1.1). `fallback` is the remote target of a peer
 * without a Contact.
 * @throws {SipSyntaxError} when a part of it could not be put into a request.
 */
export function uasDialog(invite: SipMessage, localTag: string, fallback: string): DialogState {
  return writable({
    callId: invite.callId,
    localTag,
    remoteTag: invite.fromTag,
    local: `${invite.value(HEADER.to)};tag=${localTag}`,
    remote: invite.value(HEADER.from) ?? '',
    routeSet: recordRoute(invite),
    remoteTarget: contactUri(invite) ?? fallback,
    localSeq: 0,
    remoteSeq: invite.seq,
  });
}

const NO_ROUTES: readonly string[] = [];

const recordRoute = (message: SipMessage): readonly string[] => {
  const values = message.values(HEADER.recordRoute);
  if (values.length === 0) return NO_ROUTES;
  const routes = values.flatMap(splitList);
  for (const route of routes) checkNameAddr(route);
  return routes;
};

function contactUri(message: SipMessage): string | undefined {
  const contact = message.header('Contact');
  return contact === undefined ? undefined : checkNameAddr(contact);
}

function writable(dialog: DialogState): DialogState {
  const { callId, local, remote, routeSet, remoteTarget } = dialog;
  checked(callId);
  checked(local);
  checked(remote);
  checked(remoteTarget);
  for (const route of routeSet) checked(route);
  return dialog;
}

/** The dialog after the peer's re-INVITE or UPDATE was accepted (RFC 3261 §12.2.2: target refresh). */
export function refreshed(dialog: DialogState, request: SipMessage): DialogState {
  const remoteTarget = contactUri(request);
  return remoteTarget === undefined ? dialog : { ...dialog, remoteTarget };
}

/** The dialog after a request of the peer, or undefined when that request is out of order (RFC 3261 §12.2.2). */
export const received = (dialog: DialogState, seq: number): DialogState | undefined =>
  seq > dialog.remoteSeq ? { ...dialog, remoteSeq: seq } : undefined;

export interface DialogTarget {
  /** The Request-URI. */
  readonly uri: string;
  /** Route values. */
  readonly routes: readonly string[];
  /** The URI to send to. */
  readonly nextHop: string;
}

/** Where a request inside the dialog goes (RFC 3261 §12.2.1.1). */
export function targetOf(dialog: DialogState): DialogTarget {
  const [first, ...rest] = dialog.routeSet;
  if (first === undefined) return { uri: dialog.remoteTarget, routes: [], nextHop: dialog.remoteTarget };
  const router = addressUri(first);
  if (isLooseRoute(first)) return { uri: dialog.remoteTarget, routes: dialog.routeSet, nextHop: router };
  return { uri: router, routes: [...rest, `<${dialog.remoteTarget}>`], nextHop: router };
}
