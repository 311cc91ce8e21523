// The built-in engine in a process of its own, so that its CPU time can be read from outside.
import { randomBytes } from 'node:crypto';
import { silentLog } from '../../src/lib/log.ts';
import { createMediaEngine, type MediaSession, type SrtpParameters } from '../../src/media/index.ts';
import { isSecure, type OpenRequest, SUITES, type Target } from './messages.ts';

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
      targets.push(joinPeer('near', near, request));
      if (request.setting === 'live') void near.play(TONE);
      else {
        const far = await engine.open({ family: 'bench' });
        open.push(far);
        near.bridge(far);
        targets.push(joinPeer('far', far, request));
      }
    }
    process.send?.(targets);
  });
  process.send?.('ready');
}

function joinPeer(side: Target['side'], session: MediaSession, request: OpenRequest): Target {
  const keys = isSecure(request.setting, side) ? newKeys(SUITES[side]) : undefined;
  const port = side === 'near' ? request.nearPort : request.farPort;
  session.connect({ address: '127.0.0.1', port, payloadType: 0, ...(keys && { srtp: keys.ours }) });
  return { side, port: session.local.port, ...(keys && { srtp: keys.theirs }) };
}

function newKeys(suite: SrtpParameters['suite']): { ours: SrtpParameters; theirs: SrtpParameters } {
  const [one, other] = [new Uint8Array(randomBytes(30)), new Uint8Array(randomBytes(30))];
  return {
    ours: { suite, localKey: one, remoteKey: other },
    theirs: { suite, localKey: other, remoteKey: one },
  };
}
