// Calls: what a caller and a callee live through, from order to record.
//
//   control          what the API may ask (CallControl)
//   engine           every live call: placed over the API, come in, or rung by a Dial (child-call); drain, recovery
//   live-call        one call: leg, TwiML and record held together; call-script is what makes calls differ
//   call-record      its row, trace, events, notifications and status callbacks, kept; call-log makes those rows
//   leg              one party: dialog and media. outbound-leg finds a callee, inbound-leg has a caller;
//                    leg-media their offers and answers, leg-transfer their REFERs
//   inbound-call     whose app is asked about a call that came in, and what it is told (inbound-parameters)
//   twiml-runner     runs TwiML; prompt-player, gather-run and verb-runs perform what takes its time
//   dial             rings callees and bridges; dial-state decides, pure; dial-order  noun → child call
//   call-pace        whose turn it is, pure
//   call-life        its life cycle, pure        outcome   how a route's end reads as a call's
//   plan             order → targets, plan-sip registered users    route-runner  performs what failover decides
//   forked-route     all devices of a user at once
//   explain          where a call would go       health-watch  OPTIONS to targets, and who is down
//   recordings       the shelf: files, rows and callbacks of recordings (-files, -live, -outcome)
//   call-app         a call's requests to its app    webhook-client, signature, status-callback, callback-sender
export { type CallRow } from './call-life.ts';
export { CallbackSender } from './callback-sender.ts';
export { CallerNames, type NameSource, namesByHttp } from './caller-name.ts';
export { namesInFile } from './caller-name-file.ts';
export type {
  CallChange,
  CallControl,
  CallEvent,
  CallOrder,
  ModifyResult,
  OrderWarning,
  PlaceRefusal,
  RecordingEvent,
  RecordingOrder,
  RecordingUpdate,
  RouteQuestion,
  TwimlSource,
  WebhookTarget,
} from './control.ts';
export { CallEngine } from './engine.ts';
export type { Explanation } from './explain.ts';
export { type HealthCounts, type HealthSettings, HealthWatch } from './health-watch.ts';
export { inboundCalls } from './inbound-call.ts';
export { carrierFor } from './plan.ts';
export { RecordingShelf } from './recordings.ts';
export { RecordingFiles } from './recordings-files.ts';
export { reachedUri } from './request-uri.ts';
export { createWebhookClient, type WebhookClient } from './webhook-client.ts';
