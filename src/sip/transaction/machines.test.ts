// The four machines laid next to the figures of RFC 3261 §17 and RFC 6026.
import { describe, expect, it } from 'vitest';
import { SUCCESS_RESPONSE, stepSuccessResponse } from '../dialog/success-response.ts';
import { RFC_TIMERS, type Timers } from '../timers.ts';
import { INVITE_CLIENT, stepInviteClient } from './invite-client.ts';
import { INVITE_SERVER, stepInviteServer } from './invite-server.ts';
import type { Action, ClientInput, ServerInput, Step } from './machine.ts';
import { NON_INVITE_CLIENT, stepNonInviteClient } from './non-invite-client.ts';
import { NON_INVITE_SERVER, stepNonInviteServer } from './non-invite-server.ts';

/** `start`, `abandon`, `ack`, `request`, `error`, a status, or `timer X`. */
type Word = string | number;
type Row = readonly [input: Word, phase: string, actions: string];

const clientInput = (word: Word): ClientInput => {
  if (typeof word === 'number') return { type: 'response', status: word };
  if (word === 'error') return { type: 'transport-error', message: '' };
  return plainInput(word) as ClientInput;
};
const serverInput = (word: Word): ServerInput =>
  typeof word === 'number' ? { type: 'respond', status: word } : (plainInput(word) as ServerInput);
const plainInput = (word: string) =>
  word.startsWith('timer ') ? { type: 'timer', timer: word.slice(6) } : { type: word };

function show(action: Action): string {
  if (action.type === 'set') return `${action.timer}=${action.delayMs}`;
  if (action.type === 'stop') return `-${action.timer}`;
  return action.type === 'fail' ? action.why : action.type;
}

function walk<State extends { phase: string }, Input>(
  step: (state: State, input: Input, timers: Timers) => Step<State>,
  initial: State,
  read: (word: Word) => Input,
  timers = RFC_TIMERS,
) {
  return (_: string, rows: readonly Row[]): void => {
    let state = initial;
    for (const [word, phase, actions] of rows) {
      const next = step(state, read(word), timers);
      state = next.state;
      expect([word, state.phase, next.actions.map(show).join(' ')]).toEqual([word, phase, actions]);
    }
  };
}

const sent: Row = ['start', 'calling', 'send A=500 B=32000'];
const tried: Row = ['start', 'trying', 'send E=500 F=32000'];

describe('INVITE client (fig. 5, RFC 6026)', () => {
  it.each<readonly [string, readonly Row[]]>([
    [
      'no answer: A doubles without a limit, B ends it',
      [
        sent,
        ['timer A', 'calling', 'send A=1000'],
        ['timer A', 'calling', 'send A=2000'],
        ['timer A', 'calling', 'send A=4000'],
        ['timer A', 'calling', 'send A=8000'],
        ['timer B', 'terminated', 'timeout end'],
        [200, 'terminated', ''],
      ],
    ],
    [
      'ringing, answered, answered again',
      [
        sent,
        [100, 'proceeding', '-A -B pass'],
        [180, 'proceeding', 'pass'],
        ['timer A', 'proceeding', ''],
        ['timer B', 'proceeding', ''],
        [200, 'accepted', '-A -B -cancel pass M=32000'],
        [200, 'accepted', 'pass'],
        [486, 'accepted', ''],
        ['abandon', 'accepted', ''],
        ['timer M', 'terminated', 'end'],
      ],
    ],
    [
      'refused, refused again',
      [
        sent,
        [486, 'completed', '-A -B -cancel ack pass D=32000'],
        [486, 'completed', 'ack'],
        [200, 'completed', ''],
        [180, 'completed', ''],
        ['error', 'completed', ''],
        ['timer D', 'terminated', 'end'],
      ],
    ],
    ['answered without a provisional', [sent, [200, 'accepted', '-A -B -cancel pass M=32000']]],
    ['unsendable', [sent, ['error', 'terminated', 'transport end']]],
    [
      'given up in silence: no CANCEL, nothing more is sent, gone after 64·T1',
      [
        sent,
        ['abandon', 'calling', '-A -B cancel=32000'],
        ['error', 'calling', ''],
        ['timer cancel', 'terminated', 'end'],
      ],
    ],
    [
      'given up, then a late provisional: CANCEL; then 487',
      [
        sent,
        ['abandon', 'calling', '-A -B cancel=32000'],
        [180, 'proceeding', 'cancel pass cancel=32000'],
        [183, 'proceeding', 'pass'],
        [487, 'completed', '-A -B -cancel ack pass D=32000'],
      ],
    ],
    [
      'given up, then a late 2xx',
      [
        sent,
        ['abandon', 'calling', '-A -B cancel=32000'],
        [200, 'accepted', '-A -B -cancel pass M=32000'],
        [200, 'accepted', 'pass'],
      ],
    ],
    [
      'given up while ringing, and no 487 ever comes',
      [
        sent,
        [180, 'proceeding', '-A -B pass'],
        ['abandon', 'proceeding', 'cancel cancel=32000'],
        ['abandon', 'proceeding', ''],
        ['timer cancel', 'terminated', 'end'],
      ],
    ],
  ])('%s', walk(stepInviteClient, INVITE_CLIENT, clientInput));
});

describe('non-INVITE client (fig. 6)', () => {
  it.each<readonly [string, readonly Row[]]>([
    [
      'no answer: E doubles up to T2, F ends it',
      [
        tried,
        ['timer E', 'trying', 'send E=1000'],
        ['timer E', 'trying', 'send E=2000'],
        ['timer E', 'trying', 'send E=4000'],
        ['timer E', 'trying', 'send E=4000'],
        ['timer F', 'terminated', 'timeout end'],
      ],
    ],
    [
      'provisional, then final',
      [
        tried,
        [100, 'proceeding', 'pass'],
        ['timer E', 'proceeding', 'send E=4000'],
        [200, 'completed', '-E -F pass K=5000'],
        [200, 'completed', ''],
        ['timer K', 'terminated', 'end'],
      ],
    ],
    [
      'timeout while proceeding',
      [tried, [100, 'proceeding', 'pass'], ['timer F', 'terminated', 'timeout end']],
    ],
    ['unsendable', [tried, ['error', 'terminated', 'transport end']]],
  ])('%s', walk(stepNonInviteClient, NON_INVITE_CLIENT, clientInput));
});

describe('INVITE server (fig. 7, RFC 6026)', () => {
  it.each<readonly [string, readonly Row[]]>([
    [
      'refused: G doubles up to T2 until the ACK',
      [
        ['request', 'proceeding', ''],
        [100, 'proceeding', 'send'],
        ['request', 'proceeding', 'send'],
        [486, 'completed', 'send G=500 H=32000'],
        ['request', 'completed', 'send'],
        ['timer G', 'completed', 'send G=1000'],
        ['timer G', 'completed', 'send G=2000'],
        ['timer G', 'completed', 'send G=4000'],
        ['timer G', 'completed', 'send G=4000'],
        ['ack', 'confirmed', '-G -H I=5000'],
        ['ack', 'confirmed', ''],
        ['request', 'confirmed', ''],
        ['timer I', 'terminated', 'end'],
      ],
    ],
    [
      'refused and never acknowledged',
      [
        [486, 'completed', 'send G=500 H=32000'],
        ['timer H', 'terminated', 'timeout end'],
      ],
    ],
    [
      'accepted: the INVITE again is absorbed',
      [
        [180, 'proceeding', 'send'],
        [200, 'accepted', 'send L=32000'],
        ['request', 'accepted', ''],
        [500, 'accepted', ''],
        ['ack', 'accepted', 'pass'],
        ['timer L', 'terminated', 'end'],
      ],
    ],
    ['an ACK before any final response does nothing', [['ack', 'proceeding', '']]],
  ])('%s', walk(stepInviteServer, INVITE_SERVER, serverInput));
});

describe('non-INVITE server (fig. 8)', () => {
  it.each<readonly [string, readonly Row[]]>([
    [
      'answered, asked again',
      [
        ['request', 'trying', ''],
        [100, 'proceeding', 'send'],
        ['request', 'proceeding', 'send'],
        [200, 'completed', 'send J=32000'],
        ['request', 'completed', 'send'],
        [500, 'completed', ''],
        ['timer J', 'terminated', 'end'],
      ],
    ],
  ])('%s', walk(stepNonInviteServer, NON_INVITE_SERVER, serverInput));
});

describe('the 2xx of a UAS (§13.3.1.4)', () => {
  it.each<readonly [string, readonly Row[]]>([
    [
      'acknowledged in the end',
      [
        ['start', 'unacknowledged', 'resend=500 unacknowledged=32000'],
        ['timer resend', 'unacknowledged', 'send resend=1000'],
        ['timer resend', 'unacknowledged', 'send resend=2000'],
        ['timer resend', 'unacknowledged', 'send resend=4000'],
        ['timer resend', 'unacknowledged', 'send resend=4000'],
        ['ack', 'over', 'end'],
        ['timer unacknowledged', 'over', ''],
      ],
    ],
    [
      'never acknowledged',
      [
        ['start', 'unacknowledged', 'resend=500 unacknowledged=32000'],
        ['timer unacknowledged', 'over', 'timeout end'],
      ],
    ],
  ])(
    '%s',
    walk(stepSuccessResponse, SUCCESS_RESPONSE, (word) => serverInput(word) as never),
  );
});

describe('over a reliable transport nothing is sent again, and nothing lingers', () => {
  const reliable = { ...RFC_TIMERS, isReliable: true };

  it('INVITE client: no A, D is 0', () => {
    walk(
      stepInviteClient,
      INVITE_CLIENT,
      clientInput,
      reliable,
    )('', [
      ['start', 'calling', 'send B=32000'],
      [100, 'proceeding', '-A -B pass'],
      [486, 'completed', '-A -B -cancel ack pass D=0'],
      ['timer D', 'terminated', 'end'],
    ]);
  });

  it('INVITE server: no G, H stays, I is 0; L is 64·T1 all the same', () => {
    walk(
      stepInviteServer,
      INVITE_SERVER,
      serverInput,
      reliable,
    )('', [
      [486, 'completed', 'send H=32000'],
      ['ack', 'confirmed', '-G -H I=0'],
      ['timer I', 'terminated', 'end'],
    ]);
    walk(stepInviteServer, INVITE_SERVER, serverInput, reliable)('', [[200, 'accepted', 'send L=32000']]);
  });

  it('non-INVITE: no E, K and J are 0', () => {
    walk(
      stepNonInviteClient,
      NON_INVITE_CLIENT,
      clientInput,
      reliable,
    )('', [
      ['start', 'trying', 'send F=32000'],
      [200, 'completed', '-E -F pass K=0'],
    ]);
    walk(stepNonInviteServer, NON_INVITE_SERVER, serverInput, reliable)('', [[200, 'completed', 'send J=0']]);
  });
});

describe('a non-INVITE that may never be answered', () => {
  it('ends without a word when its client has given up (RFC 4320 §4.2)', () => {
    walk(
      stepNonInviteServer,
      NON_INVITE_SERVER,
      serverInput,
    )('', [
      ['await', 'trying', 'overdue=32000'],
      ['request', 'trying', ''],
      ['timer overdue', 'terminated', 'end'],
    ]);
    walk(
      stepNonInviteServer,
      NON_INVITE_SERVER,
      serverInput,
    )('', [
      ['await', 'trying', 'overdue=32000'],
      [200, 'completed', 'send J=32000'],
      ['timer overdue', 'completed', ''],
    ]);
  });
});
