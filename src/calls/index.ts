// Calls: what a caller and a callee live through, from order to record.
//
//   order            what calls are asked for with; control is what the API may ask (CallControl), and shared-control
//                    asks it of the exchange that has the call
//   engine           every live call: placed over the API, come in, or rung by a Dial; drain, recovery
//   live-call        one call: leg, TwiML and record held together; call-script is what makes calls differ
//   call-record      its row, trace, events, notifications and status callbacks, kept; call-log makes those rows
//   kept-dialogs     what ends its dialogs where this process is lost; recovery ends what another run has left
//   call-life        its life cycle, pure       outcome    how a route's end reads as a call's
//   call-pace        whose turn it is, pure     call-app   a call's requests to its app
//
//   inbound/         whose app is asked about a call that came in, what it is told, the caller's name
//   route/           order → plan → targets; route-runner performs what failover decides, forked-route rings all devices
//                    of a user; explain, explain-arrival; emergency; health-watch asks targets by OPTIONS
//   trunk/           calls of Elastic trunks: termination, origination; trunk-call is one, through-leg its two parties;
//                    call-transfers what a PBX may do with it from its seat: transfer-policy and -state decide (pure),
//                    transfer performs, transfer-target is whom it is transferred to
//   leg/             one party: dialog and media. outbound-leg finds a callee, inbound-leg has a caller
//   twiml/           runs TwiML; dial rings callees and bridges (dial-state decides, pure), child-call is one of them
//   recording/       the shelf: files, rows and callbacks of recordings
//   webhook/         requests to apps, signed, within the overrides and limits; callback/ the durable ones
export { type CallRow } from './call-life.ts';
export { CallbackSender } from './callback/sender.ts';
export type { CallControl, ModifyResult, PlaceRefusal } from './control.ts';
export { CallEngine } from './engine.ts';
export { CallerNames, type NameSource, namesByHttp } from './inbound/caller-name.ts';
export { namesInFile } from './inbound/caller-name-file.ts';
export { inboundCalls } from './inbound/inbound-call.ts';
export type {
  CallChange,
  CallEvent,
  CallOrder,
  OrderWarning,
  RecordingEvent,
  RecordingOrder,
  RecordingUpdate,
  RouteQuestion,
  TwimlSource,
  WebhookTarget,
} from './order.ts';
export { RecordingFiles } from './recording/files.ts';
export { RecordingShelf } from './recording/shelf.ts';
export type { Explanation } from './route/explain.ts';
export {
  type ArrivalExplanation,
  type ArrivalQuestion,
  type Arrivals,
  arrivals,
} from './route/explain-arrival.ts';
export { type HealthCounts, type HealthSettings, HealthWatch } from './route/health-watch.ts';
export { carrierFor } from './route/plan.ts';
export { originationTarget } from './route/plan-origination.ts';
export { reachedUri } from './route/request-uri.ts';
export { sharedControl } from './shared-control.ts';
export { createWebhookClient, type WebhookClient } from './webhook/client.ts';
