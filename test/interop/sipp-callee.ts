// SIPp as a callee: scenarios that refuse, ring until they are given up, and hang up. Its built-in one (`-sn uas`) answers.
import { scenario } from './sipp-caller.ts';

const COPIED = '[last_Via:]\n[last_From:]\n[last_To:];tag=[call_number]\n[last_Call-ID:]\n[last_CSeq:]\n';
const CONTACT = 'Contact: <sip:[local_ip]:[local_port]>\n';
const SDP = `Content-Type: application/sdp\nContent-Length: [len]\n
v=0\no=sipp 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [local_ip]\nt=0 0\nm=audio [media_port] RTP/AVP 8\na=rtpmap:8 PCMA/8000\n`;

const send = (status: string, rest: string, options = ''): string =>
  `<send${options}><![CDATA[\nSIP/2.0 ${status}\n${COPIED}${rest}\n]]></send>`;
const recv = (request: string): string => `<recv request="${request}"/>`;
const NO_BODY = `${CONTACT}Content-Length: 0\n`;

export const CALLEES = {
  refuses: (status: string) => scenario(recv('INVITE'), send(status, NO_BODY, ' retrans="500"'), recv('ACK')),
  rings: scenario(
    recv('INVITE'),
    send('180 Ringing', NO_BODY),
    recv('CANCEL'),
    send('200 OK', 'Content-Length: 0\n'),
    `<send retrans="500"><![CDATA[\nSIP/2.0 487 Request Terminated\n[last_Via:]\n[last_From:]\n[last_To:];tag=[call_number]\n[last_Call-ID:]\nCSeq: 1 INVITE\nContent-Length: 0\n\n]]></send>`,
    recv('ACK'),
  ),
  hangsUp: scenario(
    `<recv request="INVITE" rrs="true"><action>
       <ereg regexp=".*" search_in="hdr" header="From:" assign_to="caller"/>
       <ereg regexp=".*" search_in="hdr" header="To:" assign_to="callee"/>
     </action></recv>`,
    send('180 Ringing', NO_BODY),
    send('200 OK', CONTACT + SDP, ' retrans="500"'),
    recv('ACK'),
    '<pause milliseconds="300"/>',
    `<send retrans="500"><![CDATA[\nBYE [next_url] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\nFrom: [$callee];tag=[call_number]\nTo: [$caller]\n[last_Call-ID:]\nCSeq: 1 BYE\nMax-Forwards: 70\nContent-Length: 0\n\n]]></send>`,
    '<recv response="200"/>',
  ),
};
