// Calls: what a caller and a callee live through, from order to record.
//
//   control          what the API may ask (CallControl)
//   engine           every live call; drain and recovery
//   live-call        one call: route, media, TwiML and record held together
//   call-life        its life cycle, pure        outcome   how a route's end reads as a call's
//   plan             order → targets             route-runner  performs what failover decides
//   explain          where a call would go
//   twiml-runner     performs what TwiML says    webhook-client, signature, status-callback, callback-sender
export { type CallRow } from './call-life.ts';
export { CallbackSender } from './callback-sender.ts';
export type {
  CallControl,
  CallEvent,
  CallOrder,
  ModifyResult,
  RouteQuestion,
  TwimlSource,
  WebhookTarget,
} from './control.ts';
export { CallEngine } from './engine.ts';
export type { Explanation } from './explain.ts';
export { carrierFor } from './plan.ts';
export { createWebhookClient, type WebhookClient } from './webhook-client.ts';
