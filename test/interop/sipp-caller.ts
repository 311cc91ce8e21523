// SIPp as a caller, step by step: what it sends and what it expects, for scenarios that are made up of them.
/** It is reached as it calls. */
const CONTACT = 'Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>\n';
export const SIPP_SDP =
  'v=0\no=sipp 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 0\n';

export interface CallerSteps {
  /** Host of the Request-URI and of To. */
  readonly domain: string;
  /** User of both. */
  readonly user: string;
  /** `user@host` of From. */
  readonly from: string;
}

export const scenario = (...steps: readonly string[]): string =>
  `<?xml version="1.0"?><scenario name="call">${steps.join('')}</scenario>`;
export const send = (text: string, options = ''): string => `<send${options}><![CDATA[\n${text}\n]]></send>`;
export const hear = (status: number): string => `<recv response="${status}"/>`;

/** A refusal that X-Twilio-Error explains. */
export const hearCode = (status: number, code: number, options = ''): string =>
  `<recv response="${status}"${options}><action><ereg regexp="^ *${code} " search_in="hdr" header="X-Twilio-Error:" ` +
  'check_it="true" assign_to="code"/></action></recv><Reference variables="code"/>';

/** Answers the request that came last. */
export const answer = (status: string): string =>
  send(
    `SIP/2.0 ${status}\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n${CONTACT}Content-Length: 0\n`,
  );
export const OK = answer('200 OK');

/** NOTIFYs that tell how a transfer stands (RFC 3515 §2.4.5). */
export const hearNews = (...statuses: readonly number[]): string =>
  statuses
    .map(
      (status) =>
        `<recv request="NOTIFY"><action><ereg regexp="^SIP/2.0 ${status} " search_in="body" check_it="true" ` +
        `assign_to="news"/></action></recv><Reference variables="news"/>${OK}`,
    )
    .join('');

/** In the INVITE's transaction, which began so many steps before. */
const ofInvite = (request: string, steps: number): string =>
  request.replace('branch=[branch]', `branch=[branch-${steps}]`);

export function callerSteps({ domain, user, from }: CallerSteps) {
  const request = (method: string, seq: number, rest: string): string =>
    `${method} sip:${user}@${domain} SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n` +
    `From: <sip:${from}>;tag=[call_number]\nTo: <sip:${user}@${domain}>[peer_tag_param]\nCall-ID: [call_id]\n` +
    `CSeq: ${seq} ${method}\n${CONTACT}${rest}`;
  const empty = 'Max-Forwards: 70\nContent-Length: 0\n';
  return {
    invite: (body = SIPP_SDP, headers = 'Max-Forwards: 70\n', seq = 1): string =>
      send(
        request(
          'INVITE',
          seq,
          `${headers}Content-Type: application/sdp\nContent-Length: [len]\n\n${body}`,
        ).replace('[peer_tag_param]', ''),
        ' retrans="500"',
      ),
    empty: (): string => send(request('INVITE', 1, empty).replace('[peer_tag_param]', ''), ' retrans="500"'),
    ack: (seq = 1): string => send(request('ACK', seq, empty)),
    /** Hears the refusal, with the code that explains it, and acknowledges. */
    refused: (status: number, code?: number, { seq = 1, steps = 2 } = {}): string =>
      (code === undefined ? hear(status) : hearCode(status, code)) +
      send(ofInvite(request('ACK', seq, empty), steps)),
    /** Of a refusal. */
    acknowledged: (steps = 2): string => send(ofInvite(request('ACK', 1, empty), steps)),
    bye: (): string => send(request('BYE', 9, empty), ' retrans="500"') + hear(200),
    cancel: (steps = 3): string =>
      send(ofInvite(request('CANCEL', 1, empty), steps).replace('[peer_tag_param]', ''), ' retrans="500"'),
    /** Asks for a transfer; what answers it is to be heard. @param to with its angle brackets */
    refer: (to: string, seq = 2, headers = ''): string =>
      send(request('REFER', seq, `Refer-To: ${to}\n${headers}${empty}`), ' retrans="500"'),
    /** Tells how a transfer stands that was asked of it. @param status such as `200 OK` */
    notify: (status: string, seq: number, state: 'active' | 'terminated'): string =>
      send(
        request(
          'NOTIFY',
          seq,
          `Max-Forwards: 70\nEvent: refer\nSubscription-State: ${state}\nContent-Type: message/sipfrag\nContent-Length: [len]\n\nSIP/2.0 ${status}\n`,
        ),
        ' retrans="500"',
      ) + hear(200),
    hungUp: `<recv request="BYE"/>${OK}`,
  };
}
