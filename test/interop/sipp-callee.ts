// SIPp as a callee: scenarios that refuse, ring until they are given up, and hang up. Its built-in one (`-sn uas`) answers.
import { hear, hearNews, scenario } from './sipp-caller.ts';

const COPIED = '[last_Via:]\n[last_From:]\n[last_To:];tag=[call_number]\n[last_Call-ID:]\n[last_CSeq:]\n';
const CONTACT = 'Contact: <sip:[local_ip]:[local_port];transport=[transport]>\n';
const SDP = `Content-Type: application/sdp\nContent-Length: [len]\n
v=0\no=sipp 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 8\na=rtpmap:8 PCMA/8000\n`;

const send = (status: string, rest: string, options = ''): string =>
  `<send${options}><![CDATA[\nSIP/2.0 ${status}\n${COPIED}${rest}\n]]></send>`;
const recv = (request: string): string => `<recv request="${request}"/>`;
const NO_BODY = `${CONTACT}Content-Length: 0\n`;

/** Takes the call, and notes who calls whom for requests of its own. */
const takes = `<recv request="INVITE" rrs="true"><action>
     <ereg regexp=".*" search_in="hdr" header="From:" assign_to="caller"/>
     <ereg regexp=".*" search_in="hdr" header="To:" assign_to="callee"/>
   </action></recv>`;
const picksUp = [send('200 OK', CONTACT + SDP, ' retrans="500"'), recv('ACK')];
const answers = [takes, send('180 Ringing', NO_BODY), ...picksUp];
const isHungUp = [
  '<Reference variables="caller,callee"/>',
  recv('BYE'),
  send('200 OK', 'Content-Length: 0\n'),
];

/** Inside the dialog of a call that `answers` took. */
const request = (method: string, seq: number, rest = ''): string =>
  `<send retrans="500"><![CDATA[\n${method} [next_url] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n` +
  `From: [$callee];tag=[call_number]\nTo: [$caller]\n[last_Call-ID:]\nCSeq: ${seq} ${method}\n` +
  `${CONTACT}Max-Forwards: 70\n${rest}Content-Length: 0\n\n]]></send>`;

export const CALLEES = {
  /** As the built-in one, which stays for four seconds after BYE. */
  answers: scenario(...answers, ...isHungUp),
  /** It never rings: wherever it is killed, a call has been answered or can go elsewhere. */
  answersAtOnce: scenario(takes, ...picksUp, ...isHungUp),
  refuses: (status: string) => scenario(recv('INVITE'), send(status, NO_BODY, ' retrans="500"'), recv('ACK')),
  rings: scenario(
    recv('INVITE'),
    send('180 Ringing', NO_BODY),
    recv('CANCEL'),
    send('200 OK', 'Content-Length: 0\n'),
    `<send retrans="500"><![CDATA[\nSIP/2.0 487 Request Terminated\n[last_Via:]\n[last_From:]\n[last_To:];tag=[call_number]\n[last_Call-ID:]\nCSeq: 1 INVITE\nContent-Length: 0\n\n]]></send>`,
    recv('ACK'),
  ),
  hangsUp: scenario(...answers, '<pause milliseconds="300"/>', request('BYE', 1), hear(200)),
  /** It answers, sends its caller elsewhere, and hangs up. @param to with its angle brackets */
  transfers: (to: string) =>
    scenario(
      ...answers,
      '<pause milliseconds="300"/>',
      request('REFER', 1, `Refer-To: ${to}\n`),
      hear(202),
      hearNews(100, 180, 200),
      request('BYE', 2),
      hear(200),
    ),
};
