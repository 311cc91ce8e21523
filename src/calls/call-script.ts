// What makes one kind of call different from another: what it does when it begins, is answered, and ends.
import type { MediaSession } from '../media/index.ts';
import type { LiveCall } from './live-call.ts';
import type { CallOrder, MachineDetection, OrderWarning, TwimlSource, WebhookTarget } from './order.ts';
import type { CallEnding } from './outcome.ts';
import { recordingStart } from './recording/shelf.ts';
import type { FormParameters } from './webhook/signature.ts';

export interface CallScript {
  /** What requests to the app carry beside the usual: SipDomain and the like. */
  readonly parameters?: FormParameters;
  readonly fallback?: WebhookTarget;
  /** Seconds from the answer. */
  readonly timeLimitS: number;
  readonly machineDetection?: MachineDetection;
  /** Said when it begins. */
  readonly warnings?: readonly OrderWarning[];
  /** Its leg has begun: the INVITE is on its way, or the caller's media is being reserved. */
  begun?(call: LiveCall): void;
  ringing?(call: LiveCall): void;
  /** There is sound before the answer. */
  early?(call: LiveCall, session: MediaSession): void;
  connected(call: LiveCall, session: MediaSession): void;
  /** It is given other TwiML over the API, which runs next. */
  redirected?(call: LiveCall): void;
  /** The party asks to be sent to `target` by REFER; whether it will be. */
  referred?(call: LiveCall, target: string): boolean;
  ended?(call: LiveCall, ending: CallEnding): void;
}

/** A call over the API: presses its keys, records, and runs its TwiML from the answer. */
export const apiScript = (order: CallOrder): CallScript => ({
  ...(order.fallback && { fallback: order.fallback }),
  timeLimitS: order.timeLimitS,
  ...(order.machineDetection && { machineDetection: order.machineDetection }),
  warnings: order.warnings,
  connected(call, session) {
    const { recording, sendDigits, twiml } = order;
    if (recording) call.record(session, recordingStart(recording, { ...call.key, source: 'OutboundAPI' }));
    if (sendDigits === undefined) return call.runTwiml(twiml);
    call.note('call', `presses ${sendDigits.length} keys`);
    const begin = () => call.isUntouched && call.runTwiml(twiml);
    void session.sendDigits(sendDigits.replaceAll(/[a-d]/g, (key) => key.toUpperCase())).then(begin, begin);
  },
  referred: (call, target) => call.twiml.transfer(target, 'caller'),
});

/** A call that came in: asks its app as soon as it rings, and answers when the TwiML says so. */
export const inboundScript = (given: {
  readonly twiml: TwimlSource;
  readonly fallback?: WebhookTarget;
  readonly parameters?: FormParameters;
  readonly timeLimitS: number;
  readonly warnings?: readonly OrderWarning[];
  /** Looks the caller's name up, which the app is then told with its first request. */
  readonly callerName?: () => Promise<string | undefined>;
}): CallScript => ({
  ...given,
  ringing(call) {
    const { callerName, twiml } = given;
    const ask = (): void => {
      if (call.isUntouched) call.runTwiml(twiml);
    };
    if (!callerName) return ask();
    void callerName().then((name) => {
      if (name !== undefined && !call.ended) call.named(name);
      ask();
    });
  },
  connected() {},
  referred: (call, target) => call.twiml.transfer(target, 'caller'),
});
