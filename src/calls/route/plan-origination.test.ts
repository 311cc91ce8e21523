import { beforeEach, expect, it } from 'vitest';
import { OWNER, World } from '../../../test/support/doorstep.ts';
import { newRow, originationUrl, type Row } from '../../resources/index.ts';
import { originationTarget, planOrigination } from './plan-origination.ts';

const NUMBER = { sid: 'PN1', phoneNumber: '+14155550100' };

let world: World;
beforeEach(() => {
  world = new World();
});

it('has the trunk’s URLs and no others, disabled ones too, and says by which rule', () => {
  const trunk = world.trunk('acme.pstn.twilio.com');
  const url = (values: Partial<Row<typeof originationUrl>>) => {
    const common = { accountSid: OWNER, trunkSid: trunk.sid, friendlyName: 'pbx', sipUrl: 'sip:pbx.example' };
    const row = newRow(
      originationUrl,
      { ...common, priority: 1, weight: 1, enabled: true, ...values },
      world,
    );
    world.directory.put(originationUrl, row);
    return row.sid;
  };
  const first = url({ priority: 3, weight: 7 });
  const second = url({ sipUrl: 'sip:other.example', enabled: false });
  url({ trunkSid: world.trunk('other.pstn.twilio.com').sid });
  const plan = planOrigination(trunk, NUMBER, world);
  expect(plan.targets).toEqual([
    { sid: first, uri: 'sip:pbx.example', priority: 3, weight: 7, enabled: true },
    { sid: second, uri: 'sip:other.example', priority: 1, weight: 1, enabled: false },
  ]);
  expect(plan.rule).toBe(`+14155550100 is number PN1 of trunk ${trunk.sid}, which has 2 origination URLs`);
});

it.each([
  [false, 'sip:pbx.example', 'sip:pbx.example'],
  [false, 'sip:pbx.example;transport=tcp?X-A=1', 'sip:pbx.example;transport=tcp?X-A=1'],
  [false, 'sips:desk@pbx.example:5071', 'sip:desk@pbx.example:5071;transport=tls'],
  [true, 'sip:pbx.example;transport=udp;edge=dublin', 'sip:pbx.example;edge=dublin;secure=true'],
  [true, 'sip:pbx.example?X-A=1', 'sip:pbx.example;secure=true?X-A=1'],
  [true, 'sips:pbx.example', 'sip:pbx.example;secure=true'],
])('of a trunk with secure=%s calls %s as %s', (secure, url, called) => {
  expect(originationTarget({ secure }, url)).toBe(called);
});
