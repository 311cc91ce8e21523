// The REST API: Twilio's paths, words and errors over the definitions of the resources.
//
// server.ts   HTTP: the only file that knows fastify      auth.ts   who is asking
// crud.ts     the five operations of any resource         calls.ts, call-order.ts, endpoint.ts   calls, an action
// traces.ts   why a call went where it went               errors.ts every error, with Twilio's codes
// dialect.ts  2010-04-01 and v1    render.ts  row → JSON  page.ts, filters.ts  lists     form.ts  parameters
export { type ApiOptions, createApi } from './server.ts';
