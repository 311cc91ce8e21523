// The yardstick: rtpengine in user space, relaying the same calls.
import { randomBytes } from 'node:crypto';
import {
  type AgreedMedia,
  acceptAnswer,
  makeSrtpKeys,
  readAudio,
  writeAnswer,
  writeOffer,
} from '../../src/sdp/index.ts';
import { type Rtpengine, startRtpengine } from '../../test/interop/rtpengine.ts';
import { isSecure, type OpenRequest, SUITES, type Target } from './messages.ts';

export interface Yardstick {
  readonly pid: number;
  open(request: OpenRequest): Promise<Target[]>;
  close(): Promise<void>;
}

export async function startYardstick(): Promise<Yardstick> {
  const rtpengine = await startRtpengine({ first: 30_000, last: 39_999 });
  const calls: string[] = [];
  return {
    pid: rtpengine.pid,
    open: async (request) => {
      for (const call of calls.splice(0))
        await rtpengine.ask({ command: 'delete', 'call-id': call, 'from-tag': 'near' });
      const targets: Target[] = [];
      for (let call = 0; call < request.calls; call++) {
        const id = randomBytes(8).toString('hex');
        calls.push(id);
        targets.push(...(await openCall(rtpengine, id, request)));
      }
      return targets;
    },
    close: () => rtpengine.stop(),
  };
}

async function openCall(
  rtpengine: Rtpengine,
  id: string,
  { setting, nearPort, farPort }: OpenRequest,
): Promise<Target[]> {
  const local = (side: Target['side'], port: number) => ({
    address: '127.0.0.1',
    port,
    sessionId: '1',
    version: 1,
    srtp: isSecure(setting, side) ? makeSrtpKeys(randomBytes, [SUITES[side]]) : [],
  });
  const near = local('near', nearPort);
  const common = { 'call-id': id, 'from-tag': 'near', ICE: 'remove' };
  const offered = await rtpengine.ask({
    ...common,
    command: 'offer',
    sdp: writeOffer(near),
    'transport-protocol': isSecure(setting, 'far') ? 'RTP/SAVP' : 'RTP/AVP',
  });
  const far = writeAnswer(readAudio(offered, 'allowed'), local('far', farPort));
  const answered = await rtpengine.ask({ ...common, command: 'answer', 'to-tag': 'far', sdp: far.sdp });
  return [target('near', acceptAnswer(readAudio(answered, 'allowed'), near)), target('far', far.peer)];
}

const target = (side: Target['side'], { port, srtp }: AgreedMedia): Target => ({
  side,
  port,
  ...(srtp && { srtp }),
});
