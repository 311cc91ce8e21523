// The built-in engine in a process of its own, so that its CPU time can be read from outside.
import { randomBytes } from 'node:crypto';
import { silentLog } from '../../src/lib/log.ts';
import { createMediaEngine, type MediaSession, type SrtpParameters } from '../../src/media/index.ts';
import type { OpenRequest, Target } from './messages.ts';

const TONE = { kind: 'tone', frequenciesHz: [440], durationMs: Number.POSITIVE_INFINITY } as const;

export async function runEngine(): Promise<void> {
  const engine = await createMediaEngine({
    address: '127.0.0.1',
    ports: { first: 40_000, last: 59_999 },
    log: silentLog,
  });
  let open: MediaSession[] = [];
  process.on('message', async (request: OpenRequest) => {
    for (const session of open) session.close();
    const targets: Target[] = [];
    open = [];
    for (let call = 0; call < request.calls; call++) {
      const near = await engine.open({ family: 'bench' });
      open.push(near);
      const keys = request.setting === 'bridged-srtp' ? newKeys() : undefined;
      near.connect(peer(request.nearPort, keys?.ours));
      targets.push({ side: 'near', port: near.local.port, ...(keys && { srtp: keys.theirs }) });
      if (request.setting === 'live') void near.play(TONE);
      else {
        const far = await engine.open({ family: 'bench' });
        open.push(far);
        far.connect(peer(request.farPort));
        near.bridge(far);
        targets.push({ side: 'far', port: far.local.port });
      }
    }
    process.send?.(targets);
  });
  process.send?.('ready');
}

const peer = (port: number, srtp?: SrtpParameters) =>
  ({ address: '127.0.0.1', port, payloadType: 0, ...(srtp && { srtp }) }) as const;

function newKeys(): { ours: SrtpParameters; theirs: SrtpParameters } {
  const suite = 'AES_CM_128_HMAC_SHA1_80';
  const [one, other] = [new Uint8Array(randomBytes(30)), new Uint8Array(randomBytes(30))];
  return {
    ours: { suite, localKey: one, remoteKey: other },
    theirs: { suite, localKey: other, remoteKey: one },
  };
}
