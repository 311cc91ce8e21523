// SIPp scenarios beyond its built-in ones: each is one side of a call that uses one extension.
const SDP =
  'v=0\no=sipp 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 0\n';
const WITH_SDP = `Content-Type: application/sdp\nContent-Length: [len]\n\n${SDP}`;
const BODILESS = 'Content-Length: 0\n';
const CONTACT = 'Contact: <sip:sipp@[local_ip]:[local_port]>\n';

const scenario = (...steps: readonly string[]): string =>
  `<?xml version="1.0"?><scenario name="extension">${steps.join('')}</scenario>`;
const send = (text: string, options = ''): string => `<send${options}><![CDATA[\n${text}\n]]></send>`;
const hear = (response: number, options = ''): string => `<recv response="${response}"${options}/>`;
const take = (request: string): string => `<recv request="${request}"/>`;

/** A request of SIPp as caller; `to` is `[peer_tag_param]` once there is a dialog. */
const request = (method: string, seq: number, rest: string, to = '[peer_tag_param]'): string =>
  `${method} sip:tandem@[remote_ip]:[remote_port] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n` +
  `From: <sip:sipp@[local_ip]>;tag=[call_number]\nTo: <sip:tandem@[remote_ip]>${to}\nCall-ID: [call_id]\n` +
  `CSeq: ${seq} ${method}\n${CONTACT}Max-Forwards: 70\n${rest}`;
const answer = (status: string, rest: string, tag = ''): string =>
  `SIP/2.0 ${status}\n[last_Via:]\n[last_From:]\n[last_To:]${tag}\n[last_Call-ID:]\n[last_CSeq:]\n${CONTACT}${rest}`;

const RETRANS = ' retrans="500"';
const invite = (rest = '', seq = 1): string => send(request('INVITE', seq, rest + WITH_SDP, ''), RETRANS);
const ringing = hear(100, ' optional="true"') + hear(180, ' optional="true"');
const ack = (seq = 1): string => send(request('ACK', seq, BODILESS));
const bye = (seq: number): string => send(request('BYE', seq, BODILESS), RETRANS) + hear(200);
const CALLED_TAG = ';tag=[call_number]';

/** SIPp calls us. */
export const CALLER_SCENARIOS = {
  prack: scenario(
    invite('Supported: 100rel\n'),
    hear(100, ' optional="true"'),
    `<recv response="183"><action><ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" check_it="true" assign_to="rseq"/></action></recv>`,
    send(request('PRACK', 2, `RAck: [$rseq] 1 INVITE\n${BODILESS}`), RETRANS),
    hear(200),
    hear(200),
    ack(),
    bye(3),
  ),
  update: scenario(
    invite(),
    ringing,
    hear(200),
    ack(),
    send(request('UPDATE', 2, WITH_SDP), RETRANS),
    hear(200),
    bye(3),
  ),
  reinvite: scenario(
    invite(),
    ringing,
    hear(200),
    ack(),
    send(request('INVITE', 2, WITH_SDP), RETRANS),
    hear(200),
    ack(2),
    bye(3),
  ),
  refer: scenario(
    invite(),
    ringing,
    hear(200),
    ack(),
    send(request('REFER', 2, `Refer-To: <sip:carol@[remote_ip]>\n${BODILESS}`), RETRANS),
    hear(202),
    take('NOTIFY'),
    send(answer('200 OK', BODILESS)),
    take('NOTIFY'),
    send(answer('200 OK', BODILESS)),
    bye(3),
  ),
  timer: scenario(
    invite('Supported: timer\nSession-Expires: 60\n'),
    hear(422),
    ack(),
    send(
      request(
        'INVITE',
        2,
        `Supported: timer\nMin-SE: 90\nSession-Expires: 90;refresher=uac\n${WITH_SDP}`,
        '',
      ),
      RETRANS,
    ),
    ringing,
    `<recv response="200"><action><ereg regexp="90;refresher=uac" search_in="hdr" header="Session-Expires:" check_it="true" assign_to="se"/></action></recv>`,
    '<Reference variables="se"/>',
    ack(2),
    bye(3),
  ),
  md5: scenario(
    invite(),
    hear(407, ' auth="true"'),
    ack(),
    send(
      request('INVITE', 2, `[authentication username=alice password=circle-of-life]\n${WITH_SDP}`, ''),
      RETRANS,
    ),
    ringing,
    hear(200),
    ack(2),
    bye(3),
  ),
};

/** The INVITE of a call to SIPp, whose Via, From and To later messages repeat. */
const takeCall = `<recv request="INVITE" rrs="true"><action>${['Via', 'From', 'To']
  .map((name) => `<ereg regexp=".*" search_in="hdr" header="${name}:" assign_to="${name}"/>`)
  .join('')}</action></recv><Reference variables="Via,From,To"/>`;
/** A request of SIPp as callee. */
const ask = (method: string, seq: number, rest: string): string =>
  `${method} [next_url] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n` +
  `From: [$To]${CALLED_TAG}\nTo: [$From]\n[last_Call-ID:]\nCSeq: ${seq} ${method}\n${CONTACT}Max-Forwards: 70\n${rest}`;
const accept = (rest = ''): string =>
  send(answer('200 OK', rest + WITH_SDP, CALLED_TAG), RETRANS) + take('ACK');
const ok = (rest = BODILESS): string => send(answer('200 OK', rest));
const hungUp = take('BYE') + ok();
const notify = (seq: number, state: string, fragment: string): string =>
  send(
    ask(
      'NOTIFY',
      seq,
      `Event: refer\nSubscription-State: ${state}\nContent-Type: message/sipfrag\nContent-Length: [len]\n\n${fragment}\n`,
    ),
    RETRANS,
  ) + hear(200);
const CHALLENGE =
  'WWW-Authenticate: Digest realm="sipp",nonce="b7c9036dbf3054aea9404c7286aee9703dc8f84c2008",algorithm=MD5,qop="auth"\n';
const fits = (request: string, header: string, regexp: string): string =>
  `<recv request="${request}"><action><ereg regexp="${regexp}" search_in="hdr" header="${header}:" check_it="true" assign_to="fit"/>` +
  '</action></recv><Reference variables="fit"/>';

/** SIPp is called by us. */
export const CALLEE_SCENARIOS = {
  prack: scenario(
    takeCall,
    send(answer('183 Session Progress', `Require: 100rel\nRSeq: 17\n${WITH_SDP}`, CALLED_TAG)),
    fits('PRACK', 'RAck', '17 1 INVITE'),
    ok(),
    send(
      `SIP/2.0 200 OK\nVia: [$Via]\nFrom: [$From]\nTo: [$To]${CALLED_TAG}\n[last_Call-ID:]\nCSeq: 1 INVITE\n${CONTACT}${WITH_SDP}`,
      RETRANS,
    ),
    take('ACK'),
    hungUp,
  ),
  redirect: scenario(
    take('INVITE'),
    send(answer('302 Moved Temporarily', BODILESS, CALLED_TAG)),
    take('ACK'),
  ),
  /** It takes our re-INVITE and UPDATE. */
  reinvite: scenario(
    take('INVITE'),
    accept(),
    take('INVITE'),
    send(answer('200 OK', WITH_SDP), RETRANS),
    take('ACK'),
    take('UPDATE'),
    ok(WITH_SDP),
    hungUp,
  ),
  /** It sends both. */
  offers: scenario(
    takeCall,
    accept(),
    send(ask('INVITE', 1, WITH_SDP), RETRANS),
    hear(200),
    send(ask('ACK', 1, BODILESS)),
    send(ask('UPDATE', 2, WITH_SDP), RETRANS),
    hear(200),
    hungUp,
  ),
  refer: scenario(
    takeCall,
    accept(),
    fits('REFER', 'Refer-To', 'sip:carol@example.com'),
    send(answer('202 Accepted', BODILESS)),
    notify(1, 'active;expires=60', 'SIP/2.0 100 Trying'),
    notify(2, 'terminated;reason=noresource', 'SIP/2.0 200 OK'),
    hungUp,
  ),
  timer: scenario(
    fits('INVITE', 'Session-Expires', '^ *90'),
    send(answer('422 Session Interval Too Small', `Min-SE: 120\n${BODILESS}`, CALLED_TAG)),
    take('ACK'),
    fits('INVITE', 'Session-Expires', '^ *120'),
    accept('Require: timer\nSession-Expires: 120;refresher=uac\n'),
    hungUp,
  ),
  md5: scenario(
    take('INVITE'),
    send(answer('401 Unauthorized', CHALLENGE + BODILESS, CALLED_TAG)),
    take('ACK'),
    '<recv request="INVITE"><action><verifyauth assign_to="known" username="alice" password="secret"/></action></recv>',
    '<nop test="known" next="1"/>',
    send(answer('403 Forbidden', BODILESS, CALLED_TAG), RETRANS),
    take('ACK'),
    '<nop next="2"/>',
    '<label id="1"/>',
    accept(),
    hungUp,
    '<label id="2"/>',
  ),
};
