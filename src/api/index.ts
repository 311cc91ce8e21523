// The REST API: Twilio's paths, words and errors over the definitions of the resources.
//
// server.ts   HTTP: the only file that knows fastify      auth.ts   who is asking
// crud.ts     the five operations of any resource         calls.ts, call-order.ts, endpoint.ts   calls, an action
// traces.ts   why a call went where it went               errors.ts every error, with Twilio's codes
// https.ts    the same server over TLS
// dialect.ts  2010-04-01 and v1    render.ts  row → JSON  page.ts, filters.ts  lists     form.ts  parameters
export { type HttpsListener, listenHttps } from './https.ts';
export { type Api, type ApiOptions, createApi } from './server.ts';
