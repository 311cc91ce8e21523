// Adding a caller ID. Twilio calls the number and asks for the code; here the operator's word is enough.
import { httpMethod, httpUrl, integer, outgoingCallerId, parseParameters, text } from '../resources/index.ts';
import { type CrudDeps, createRow, parsedValues } from './crud.ts';
import { dialectOf } from './dialect.ts';
import { parameterError } from './errors.ts';
import type { Answer, ApiRequest, Route } from './route.ts';

/** Twilio's parameters for its call, checked and not acted on. */
const CALL_PARAMETERS = {
  fields: {
    callDelay: integer({ min: 0, max: 60 }),
    extension: text(),
    statusCallback: httpUrl(),
    statusCallbackMethod: httpMethod(),
  },
};

const CODE_DIGITS = 6;

export function callerIdRoutes(deps: CrudDeps): readonly Route[] {
  const path = dialectOf(outgoingCallerId).collection(outgoingCallerId, {
    account: ':AccountSid',
    parent: '',
  });
  return [{ method: 'POST', path, answer: (request) => validate(deps, request) }];
}

async function validate(deps: CrudDeps, request: ApiRequest): Promise<Answer> {
  const values = parsedValues(outgoingCallerId, request, 'create');
  const error = parameterError(parseParameters(CALL_PARAMETERS, request.form, 'update').errors);
  if (error) throw error;
  const row = await createRow(deps, outgoingCallerId, { request, values });
  return {
    status: 200,
    body: {
      account_sid: row.accountSid,
      call_sid: null,
      friendly_name: row.friendlyName ?? null,
      phone_number: row.phoneNumber ?? null,
      validation_code: String(Math.floor(deps.random.fraction() * 10 ** CODE_DIGITS)).padStart(
        CODE_DIGITS,
        '0',
      ),
    },
  };
}
