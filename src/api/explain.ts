// POST /tandem/v1/Explain: where would this call go, and why. Takes To, From and Byoc as POST /Calls does.
import { parseRouteQuestion } from './call-order.ts';
import type { CallsDeps } from './calls.ts';
import type { Answer, ApiRequest, Json, JsonObject, Route } from './route.ts';
import { inSnakeCase } from './traces.ts';

export const explainRoutes = (deps: CallsDeps): readonly Route[] => [
  { method: 'POST', path: '/tandem/v1/Explain', answer: (request) => explain(deps, request) },
];

async function explain({ store, calls }: CallsDeps, request: ApiRequest): Promise<Answer> {
  const question = parseRouteQuestion(request.form, request.account.sid, store.directory);
  const explanation = await calls.explain(question);
  const { to, byoc = null } = question;
  return {
    status: 200,
    body: {
      account_sid: request.account.sid,
      to,
      byoc,
      ...(inSnakeCase(explanation as unknown as Json) as JsonObject),
    },
  };
}
