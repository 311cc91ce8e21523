// Calls that are answered and stay up.
import type { Body, Dialog, SipUserAgent } from '../src/sip/index.ts';

export const SDP: Body = {
  contentType: 'application/sdp',
  content:
    'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n' +
    'm=audio 9000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n' +
    'a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\n',
};

const PARALLEL = 50;

/** Places `count` calls, some at a time; resolves when all are up. */
export async function placeCalls(agent: SipUserAgent, port: number, count: number): Promise<void> {
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await placeCall(agent, port);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

const placeCall = (agent: SipUserAgent, port: number): Promise<Dialog> =>
  new Promise((resolve, reject) => {
    agent.invite(
      {
        uri: `sip:+15550001234@127.0.0.1:${port}`,
        from: 'sip:+15550009999@127.0.0.1',
        destination: { transport: 'udp', address: '127.0.0.1', port },
        body: SDP,
      },
      {
        provisional: () => {},
        answered: resolve,
        failed: (failure) => reject(new Error(`a call failed: ${failure.kind}`)),
      },
    );
  });
