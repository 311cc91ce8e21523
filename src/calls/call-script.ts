// The scripts of calls that run TwiML: those over the API, and those that come in.
import type { CallScript } from './call.ts';
import type { CallOrder, OrderWarning, TwimlSource, WebhookTarget } from './order.ts';
import { recordingStart } from './recording/shelf.ts';
import type { FormParameters } from './webhook/signature.ts';

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
