// <Dial> over real calls: whom it rings, who is bridged, and how the conversation ends.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { CALLEE_HZ, CALLER_HZ, DialScene, FROM, hears, isSilent, level } from '../support/dial-scene.ts';

let scene: DialScene;

beforeEach(async () => {
  scene = await DialScene.open();
});

afterEach(({ task }) => scene.close(task.result?.state === 'fail'));

describe('a bridge', () => {
  it('carries sound both ways, is told to the app, and gives the caller back when the callee hangs up', async () => {
    const callee = await scene.carrier(CALLEE_HZ);
    const events = 'initiated ringing answered completed';
    const noun = await scene.number(
      callee,
      `statusCallback="${scene.app.url}/child" statusCallbackEvent="${events}"`,
    );
    scene.twiml['/done'] = '<Pause length="60"/>';
    const { sid } = await scene.call(scene.dial(noun));
    await hears(callee, CALLER_HZ);
    await hears(scene.caller, CALLEE_HZ);
    expect(level(await scene.caller.heard(), CALLER_HZ)).toBeLessThan(0.02);
    callee.hangUp();
    const done = await scene.told();
    await scene.exchange.ended(String(done['DialCallSid']));
    const [child] = await scene.children(sid);
    expect(done).toMatchObject({
      CallSid: sid,
      CallStatus: 'in-progress',
      DialCallStatus: 'completed',
      DialCallSid: child?.sid,
      DialBridged: 'true',
      DialCallDuration: child?.duration,
    });
    expect(done).not.toHaveProperty('RecordingUrl');
    expect(child).toMatchObject({
      to: '+15550002000',
      from: FROM,
      parentCallSid: sid,
      direction: 'outbound-dial',
      status: 'completed',
    });
    // The caller hears silence now, and is still there.
    await isSilent(scene.caller, CALLEE_HZ);
    expect((await scene.exchange.client.calls(sid).fetch()).status).toBe('in-progress');
    await scene.hangUp(sid);
    const callbacks = scene.app.requests
      .filter(({ path }) => path === '/child')
      .map(({ parameters }) => parameters);
    expect(callbacks.map(({ CallStatus }) => CallStatus)).toEqual([
      'initiated',
      'ringing',
      'in-progress',
      'completed',
    ]);
    for (const parameters of callbacks)
      expect(parameters).toMatchObject({
        CallSid: child?.sid,
        ParentCallSid: sid,
        Direction: 'outbound-dial',
      });
  });

  it('carries keys, in both directions', async () => {
    await scene.calledBy(await scene.carrier(CALLER_HZ, { presses: 'WW12#' }));
    const callee = await scene.carrier(CALLEE_HZ, { presses: 'WW*9' });
    const { sid } = await scene.call(scene.dial(await scene.number(callee)));
    await expect.poll(() => callee.keys(), { timeout: 8000 }).toBe('12#');
    await expect.poll(() => scene.caller.keys(), { timeout: 8000 }).toBe('*9');
    await scene.hangUp(sid);
    await scene.told();
  });

  it('ends by the caller’s * where that is asked for; the caller goes on', async () => {
    await scene.calledBy(await scene.carrier(CALLER_HZ, { presses: 'WWW*' }));
    const callee = await scene.carrier(CALLEE_HZ);
    const { sid } = await scene.call(scene.dial(await scene.number(callee), 'hangupOnStar="true"'));
    await callee.event('ended');
    expect(await scene.told()).toMatchObject({ DialCallStatus: 'completed', DialBridged: 'true' });
    // 204 is no TwiML: the call ends with an apology.
    expect((await scene.exchange.ended(sid)).status).toBe('completed');
    expect((await scene.notesOf((await scene.children(sid))[0]?.sid ?? '')).at(-1)).toContain(
      'the caller pressed *',
    );
  });

  it('ends at its time limit', async () => {
    const callee = await scene.carrier(CALLEE_HZ);
    scene.twiml['/done'] = '<Hangup/>';
    const { sid } = await scene.call(scene.dial(await scene.number(callee), 'timeLimit="1"'));
    expect(await scene.told()).toMatchObject({ DialCallStatus: 'completed', DialCallDuration: '1' });
    expect((await scene.exchange.ended(sid)).status).toBe('completed');
  });

  it.each(['caller', 'API'])(
    'ends when the %s hangs up; the app hears of it, and its answer is ignored',
    async (by) => {
      const callee = await scene.carrier(CALLEE_HZ);
      scene.twiml['/done'] = '<Say>Never heard.</Say>';
      const { sid } = await scene.call(scene.dial(await scene.number(callee)));
      await hears(callee, CALLER_HZ);
      if (by === 'caller') scene.caller.hangUp();
      else await scene.hangUp(sid);
      await callee.event('ended');
      expect(await scene.told()).toMatchObject({
        CallStatus: 'completed',
        DialCallStatus: 'completed',
        DialBridged: 'true',
      });
      expect((await scene.children(sid)).map(({ status }) => status)).toEqual(['completed']);
      expect((await scene.notesOf(sid)).some((text) => text.startsWith('<Say>'))).toBe(false);
    },
  );
});

describe('callees that ring together', () => {
  it('the first to answer wins, the other is cancelled', async () => {
    const slow = await scene.exchange.carrier({ treatment: { kind: 'ring' } });
    const quick = await scene.carrier(CALLEE_HZ, {}, { ringMs: 300 });
    scene.twiml['/done'] = '<Hangup/>';
    const { sid } = await scene.call(
      scene.dial((await scene.number(slow)) + (await scene.number(quick, '', '+15550003000'))),
    );
    await hears(scene.caller, CALLEE_HZ);
    await slow.event('canceled');
    quick.hangUp();
    await scene.told();
    await expect
      .poll(async () => (await scene.children(sid)).every(({ status }) => status !== 'in-progress'))
      .toBe(true);
    const rows = await scene.children(sid);
    const winner = rows.find(({ to }) => to === '+15550003000');
    expect(await scene.told()).toMatchObject({ DialCallStatus: 'completed', DialCallSid: winner?.sid });
    expect(rows.map(({ to, status }) => `${to} ${status}`).toSorted()).toEqual([
      '+15550002000 no-answer',
      '+15550003000 completed',
    ]);
  });

  it('nobody takes it: the last one’s fate is told', async () => {
    const busy = await scene.exchange.carrier({ always: 'busy' });
    scene.twiml['/done'] = '<Hangup/>';
    await scene.call(scene.dial((await scene.number(busy)) + (await scene.number(busy))));
    expect(await scene.told()).toMatchObject({ DialCallStatus: 'busy', DialBridged: 'false' });
    expect(await scene.told()).not.toHaveProperty('DialCallDuration');
    expect(busy.invites()).toBe(2);
  });

  it('all are given up when the caller hangs up', async () => {
    const ringing = await scene.exchange.carrier({ treatment: { kind: 'ring' } });
    const { sid } = await scene.call(
      scene.dial((await scene.number(ringing)) + (await scene.number(ringing))),
    );
    await expect.poll(() => ringing.invites()).toBe(2);
    await ringing.event('ringing');
    scene.caller.hangUp();
    await expect.poll(() => ringing.events.filter(({ type }) => type === 'canceled').length).toBe(2);
    expect(await scene.told()).toMatchObject({ DialCallStatus: 'no-answer', DialBridged: 'false' });
    expect((await scene.children(sid)).map(({ status }) => status)).toEqual(['no-answer', 'no-answer']);
  });
});

describe('callees one after the other', () => {
  it('the next rings when the one before is busy', async () => {
    const busy = await scene.exchange.carrier({ always: 'busy' });
    const callee = await scene.carrier(CALLEE_HZ);
    const never = await scene.carrier(CALLEE_HZ);
    scene.twiml['/done'] = '<Hangup/>';
    const nouns = [await scene.number(busy), await scene.number(callee), await scene.number(never)].join('');
    await scene.call(scene.dial(nouns, 'sequential="true"'));
    await hears(scene.caller, CALLEE_HZ);
    callee.hangUp();
    expect(await scene.told()).toMatchObject({ DialCallStatus: 'completed', DialBridged: 'true' });
    expect(never.invites()).toBe(0);
  });

  it('the next rings when the one before does not answer in time', async () => {
    const silent = await scene.exchange.carrier({ treatment: { kind: 'ring' } });
    const callee = await scene.carrier(CALLEE_HZ);
    const { sid } = await scene.call(
      scene.dial(
        (await scene.number(silent)) + (await scene.number(callee)),
        'sequential="true" timeout="7"',
      ),
    );
    await silent.event('ringing');
    await expect.poll(() => scene.exchange.hurry(7000)).toBe(1);
    await silent.event('canceled');
    await hears(scene.caller, CALLEE_HZ);
    await scene.hangUp(sid);
    expect(await scene.told()).toMatchObject({ DialCallStatus: 'completed' });
  });
});

describe('redirected over the API', () => {
  it('the callee: it hears its own TwiML, the caller goes on', async () => {
    const callee = await scene.carrier(CALLEE_HZ);
    scene.twiml['/done'] = '<Pause length="60"/>';
    const { sid } = await scene.call(scene.dial(await scene.number(callee)));
    await hears(callee, CALLER_HZ);
    const [child] = await scene.children(sid);
    await scene.exchange.client
      .calls(child?.sid ?? '')
      .update({ twiml: '<Response><Pause length="60"/></Response>' });
    const done = await scene.told();
    expect(done).toMatchObject({ DialCallStatus: 'completed', DialBridged: 'true' });
    expect(done).not.toHaveProperty('DialCallDuration');
    await isSilent(callee, CALLER_HZ);
    for (const each of [sid, child?.sid ?? '']) {
      expect((await scene.exchange.client.calls(each).fetch()).status).toBe('in-progress');
      await scene.exchange.client.calls(each).update({ status: 'completed' });
    }
  });

  it('a callee who is still asked: it hears its own TwiML instead, and the Dial goes on without it', async () => {
    const callee = await scene.carrier(CALLEE_HZ);
    scene.twiml['/screen'] = '<Pause length="47"/><Hangup/>';
    scene.twiml['/done'] = '<Pause length="60"/>';
    const { sid } = await scene.call(scene.dial(await scene.number(callee, `url="${scene.app.url}/screen"`)));
    await scene.told('/screen');
    const [child] = await scene.children(sid);
    const own = '<Response><Pause length="60"/></Response>';
    await scene.exchange.client.calls(child?.sid ?? '').update({ twiml: own });
    expect(await scene.told()).toMatchObject({ DialBridged: 'false' });
    // Its seconds would be over now, if the screening still ran.
    await expect.poll(() => scene.exchange.hurry(47_000)).toBe(0);
    for (const each of [sid, child?.sid ?? '']) {
      expect((await scene.exchange.client.calls(each).fetch()).status).toBe('in-progress');
      await scene.hangUp(each);
    }
  });

  it('and a callee who rings is canceled over the API', async () => {
    const ringing = await scene.exchange.carrier({ treatment: { kind: 'ring' } });
    scene.twiml['/done'] = '<Hangup/>';
    const { sid } = await scene.call(scene.dial(await scene.number(ringing)));
    await ringing.event('ringing');
    const [child] = await scene.children(sid);
    await scene.exchange.client.calls(child?.sid ?? '').update({ status: 'canceled' });
    await ringing.event('canceled');
    expect(await scene.told()).toMatchObject({ DialCallStatus: 'canceled', DialCallSid: child?.sid });
  });

  it('the caller: the callee is hung up, and the Dial is not told of', async () => {
    const callee = await scene.carrier(CALLEE_HZ);
    const { sid } = await scene.call(scene.dial(await scene.number(callee)));
    await hears(callee, CALLER_HZ);
    await scene.exchange.client.calls(sid).update({ twiml: '<Response><Hangup/></Response>' });
    await callee.event('ended');
    expect((await scene.exchange.ended(sid)).status).toBe('completed');
    await scene.exchange.quiet();
    expect(scene.app.requests).toEqual([]);
  });
});
