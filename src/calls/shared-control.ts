// The calls of every exchange on a database: what is asked of a call that another one holds is done there.
import type { Log } from '../lib/log.ts';
import { call, recording } from '../resources/index.ts';
import type { Store } from '../store/index.ts';
import type { CallControl, Unanswered } from './control.ts';
import type { CallChange, RecordingOrder, RecordingUpdate } from './order.ts';

/** What one exchange sends another, as JSON. */
type Order =
  | { readonly callSid: string; readonly change: CallChange }
  | { readonly callSid: string; readonly startRecording: RecordingOrder }
  | { readonly callSid: string; readonly recordingSid: string; readonly changeRecording: RecordingUpdate };

/** The outcome in one word, the SID of a recording, or that it cannot be known. */
type Answer = { readonly outcome: string } | { readonly recordingSid: string } | { readonly hasFailed: true };

type Sharing = Pick<Store, 'node' | 'orders' | 'find'>;

/** `own` alone where nobody can share the database. */
export function sharedControl(own: CallControl, store: Sharing, log: Log): CallControl {
  const { orders } = store;
  if (!orders) return own;
  orders.onOrder(async (content) => JSON.stringify(await perform(JSON.parse(content) as Order, own, log)));
  const elsewhere = new Elsewhere(store, orders);
  return {
    place: (order) => own.place(order),
    async change(sid, change) {
      const result = await own.change(sid, change);
      return result === 'not-live' ? elsewhere.outcome({ callSid: sid, change }) : result;
    },
    async startRecording(callSid, order) {
      const row = await own.startRecording(callSid, order);
      if (row !== 'not-live') return row;
      const there = await elsewhere.recording({ callSid, startRecording: order });
      return there === 'not-found' ? 'not-live' : there;
    },
    async changeRecording(callSid, sid, update) {
      const row = await own.changeRecording(callSid, sid, update);
      if (row !== 'not-live') return row;
      return elsewhere.recording({ callSid, recordingSid: sid, changeRecording: update });
    },
    isEmergency: own.isEmergency,
    judgeNumber: (question) => own.judgeNumber(question),
    explain: (question) => own.explain(question),
    liveTrace: (sid) => own.liveTrace(sid),
    get accepting() {
      return own.accepting;
    },
  };
}

/** The other exchanges. */
class Elsewhere {
  readonly #store: Sharing;
  readonly #orders: NonNullable<Store['orders']>;

  constructor(store: Sharing, orders: NonNullable<Store['orders']>) {
    this.#store = store;
    this.#orders = orders;
  }

  async outcome(order: Order): Promise<'done' | 'not-live' | 'wrong-state' | Unanswered> {
    const answer = await this.#ask(order);
    if (answer === 'not-live' || 'unanswered' in answer) return answer;
    return 'outcome' in answer ? (answer.outcome as 'done' | 'not-live' | 'wrong-state') : UNKNOWN;
  }

  async recording(order: Order) {
    const answer = await this.#ask(order);
    if (answer === 'not-live' || 'unanswered' in answer) return answer;
    if ('outcome' in answer) return answer.outcome as 'not-live' | 'not-found';
    const row = 'recordingSid' in answer && (await this.#store.find(recording, answer.recordingSid));
    return row || UNKNOWN;
  }

  async #ask(order: Order): Promise<Answer | 'not-live' | Unanswered> {
    const row = await this.#store.find(call, order.callSid);
    const isElsewhere = row?.endTime === null && row.node !== null && row.node !== this.#store.node;
    if (!isElsewhere) return 'not-live';
    const outcome = await this.#orders.ask(String(row.node), JSON.stringify(order));
    if (outcome.kind === 'gone') return GONE;
    if (outcome.kind === 'answered') return JSON.parse(outcome.answer) as Answer;
    const what = outcome.mayBeDone ? 'it may still be done' : 'nothing was done';
    return { unanswered: `The exchange ${outcome.exchange}, which has the call, does not answer: ${what}` };
  }
}

const GONE = { unanswered: 'The exchange that had the call is gone: the call is about to be ended' };
const UNKNOWN = { unanswered: 'The exchange that has the call could not do it' };

/** Of this exchange's own calls. */
async function perform(order: Order, own: CallControl, log: Log): Promise<Answer> {
  try {
    return answerOf(await performed(order, own));
  } catch (error) {
    log.error({ call_sid: order.callSid, err: String(error) }, 'what another exchange asked for has failed');
    return { hasFailed: true };
  }
}

function performed(order: Order, own: CallControl) {
  if ('change' in order) return own.change(order.callSid, order.change);
  if ('startRecording' in order) return own.startRecording(order.callSid, order.startRecording);
  return own.changeRecording(order.callSid, order.recordingSid, order.changeRecording);
}

function answerOf(result: Awaited<ReturnType<typeof performed>>): Answer {
  if (typeof result === 'string') return { outcome: result };
  return 'sid' in result ? { recordingSid: result.sid } : { hasFailed: true };
}
