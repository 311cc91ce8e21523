import { expect, it } from 'vitest';
import type { Dialog } from '../sip/index.ts';
import { KeptDialogs } from './kept-dialogs.ts';

const dialog = (localTag: string, remoteTarget: string) =>
  ({ identity: { localTag, remoteTarget } }) as Dialog;

it('tells the store of each dialog once, again where it goes elsewhere, and of the end where there was one', () => {
  const kept = new KeptDialogs('CA1');
  const told = (...up: readonly Dialog[]) =>
    kept.changed(up).dialogs?.map(({ identity }) => `${identity.localTag} ${identity.remoteTarget}`);
  expect(kept.over()).toEqual({});
  expect(told(dialog('a', 'sip:1'))).toEqual(['a sip:1']);
  expect(told(dialog('a', 'sip:1'))).toBeUndefined();
  expect(told(dialog('a', 'sip:1'), dialog('b', 'sip:2'))).toEqual(['b sip:2']);
  expect(told(dialog('a', 'sip:9'), dialog('b', 'sip:2'))).toEqual(['a sip:9']);
  expect(kept.over()).toEqual({ hungUp: 'CA1' });
});
