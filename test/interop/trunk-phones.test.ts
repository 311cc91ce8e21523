// baresip as the PBX of an Elastic trunk: it calls out, is called, and transfers its party by REFER.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { certificateFor } from '../support/certificates.ts';
import { hears, isSilent } from '../support/dial-scene.ts';
import { listenerOf, PASSWORD } from '../support/doors.ts';
import type { TestCarrier } from '../support/exchange.ts';
import { NUMBER, OUTSIDE, OUTSIDE_HZ, TrunkScene } from '../support/trunk-scene.ts';
import { type Baresip, hasBaresip, startBaresip } from './baresip.ts';

/** Of baresip. */
const PBX_HZ = 440;
const TARGET = '+15550007000';
const TARGET_HZ = 950;

describe.skipIf(!hasBaresip)('baresip behind a trunk', () => {
  let scene: TrunkScene;
  let pbx: Baresip;
  let carrier: TestCarrier;
  let kate: TestCarrier;

  beforeEach(async () => {
    scene = await TrunkScene.open();
    carrier = await scene.peer();
    kate = await scene.peer({ hz: TARGET_HZ });
    await scene.route('+1415', carrier.uri);
    await scene.route('+1555', kate.uri);
    await scene.exchange.client.trunking.v1.trunks(scene.trunk.sid).update({ transferMode: 'enable-all' });
    pbx = await startBaresip({
      registrar: listenerOf(scene.exchange, 'udp').port,
      transport: 'udp',
      password: PASSWORD,
      ca: certificateFor('127.0.0.1').cert,
      domain: scene.trunk.domainName,
      user: NUMBER,
      authUser: 'pbx',
      intervalS: 0,
    });
  });
  afterEach(async ({ task }) => {
    await pbx.stop();
    await scene.close(task.result?.state === 'fail');
  });

  async function callsOut(): Promise<void> {
    await pbx.command('dial', `sip:${OUTSIDE}@${scene.trunk.domainName}`);
    await pbx.said('Call established');
    await hears(carrier, PBX_HZ);
  }

  async function areJoined(): Promise<void> {
    await hears(carrier, TARGET_HZ);
    await hears(kate, OUTSIDE_HZ);
    await isSilent(carrier, PBX_HZ);
    kate.hangUp();
    await carrier.event('ended');
    await scene.exchange.quiet();
  }

  it('transfers its party to a SIP URI, and hangs up when it hears that it is done', async () => {
    await callsOut();
    await pbx.command('transfer', kate.uri.replace('sip:', 'sip:kate@'));
    await areJoined();
  });

  it('transfers its party to a number of the world', async () => {
    await callsOut();
    await pbx.command('transfer', `sip:${TARGET}@${scene.trunk.domainName}`);
    await areJoined();
    const [child] = (await scene.exchange.client.calls.list()).filter((call) => call.parentCallSid);
    expect(child).toMatchObject({ from: OUTSIDE, to: TARGET });
  });

  // 1.0 gives the call up then: others get their party back.
  it('hears that a transfer has failed, and hangs up', async () => {
    const busy = await scene.exchange.carrier({ always: 'busy' });
    await callsOut();
    await pbx.command('transfer', busy.uri.replace('sip:', 'sip:kate@'));
    await busy.event('refused');
    await pbx.said('transfer failure: 486 Busy Here');
    await carrier.event('ended');
  });

  it('is called, and transfers the caller', async () => {
    await scene.urls(`sip:127.0.0.1:${pbx.ports.udp}`);
    const caller = await scene.callsIn();
    await caller.answered;
    await hears(caller, PBX_HZ);
    await pbx.command('transfer', kate.uri.replace('sip:', 'sip:kate@'));
    await hears(caller, TARGET_HZ);
    caller.hangUp();
    await kate.event('ended');
  });
});
