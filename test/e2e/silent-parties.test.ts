// A party that is gone without a word: nothing comes of its media any more.
import { expect, it, onTestFinished } from 'vitest';
import { startExchange } from '../support/exchange.ts';
import { RawPeer, reply } from '../support/raw-peer.ts';
import { ANSWER_SDP } from '../support/sip-peer.ts';

it('ends its call with 32014', async () => {
  const exchange = await startExchange({ TANDEM_MEDIA_TIMEOUT_S: '1' });
  const peer = await RawPeer.open();
  onTestFinished(async () => {
    await exchange.stop();
    await peer.close();
  });
  const { sid } = await exchange.client.calls.create({
    to: `sip:bob@127.0.0.1:${peer.endpoint.port}`,
    from: 'alice',
    twiml: '<Response><Pause length="60"/></Response>',
  });
  const [address = '', port] = exchange.tandem.sip.split(':');
  const there = { transport: 'udp', address, port: Number(port) } as const;
  const answer = {
    tag: 'bob',
    contact: `sip:127.0.0.1:${peer.endpoint.port}`,
    headers: 'Content-Type: application/sdp\r\n',
    body: ANSWER_SDP,
  };
  peer.send(reply(await peer.next('INVITE'), 200, answer), there);
  await peer.next('ACK');
  expect((await exchange.ended(sid)).status).toBe('completed');
  peer.send(reply(await peer.next('BYE'), 200), there);
  await exchange.quiet();
  expect(await exchange.client.calls(sid).notifications.list()).toMatchObject([
    { errorCode: '32014', log: '1', messageText: 'neither sound nor RTCP came of the party any more' },
  ]);
});
