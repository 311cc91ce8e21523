// The operations that follow from no definition, described by hand for the OpenAPI document.

export interface ActionDescription {
  readonly id: string;
  readonly summary: string;
  /** Parameters of the form, in words; `*` marks the required ones. */
  readonly form?: string;
  readonly query?: string;
  /** 200 where missing. */
  readonly status?: number;
  /** Resource that is answered; any object where missing. */
  readonly schema?: string;
}

const NUMBER = '/v1/Trunks/:ParentSid/PhoneNumbers';
const CALLS = '/2010-04-01/Accounts/:AccountSid/Calls';
const DIALING = '/v1/DialingPermissions';
const PAGE = 'PageSize Page PageToken';

/** By method and path as they are routed. */
export const ACTIONS: { readonly [route: string]: ActionDescription } = {
  [`POST ${CALLS}`]: {
    id: 'createCall',
    summary: 'Places a call',
    form: `To* From* Url Method Twiml ApplicationSid FallbackUrl FallbackMethod StatusCallback StatusCallbackMethod
      StatusCallbackEvent Timeout TimeLimit Byoc`,
    status: 201,
    schema: 'Call',
  },
  [`POST ${CALLS}/:Sid`]: {
    id: 'updateCall',
    summary: 'Ends a call, or gives it other TwiML',
    form: 'Status Url Method Twiml',
    schema: 'Call',
  },
  [`DELETE ${CALLS}/:Sid`]: {
    id: 'deleteCall',
    summary: 'Deletes the record of a call that has ended',
    status: 204,
  },
  [`POST ${NUMBER}`]: {
    id: 'createTrunkPhoneNumber',
    summary: 'Gives a phone number to a trunk',
    form: 'PhoneNumberSid*',
    status: 201,
    schema: 'TrunkPhoneNumber',
  },
  [`DELETE ${NUMBER}/:Sid`]: {
    id: 'deleteTrunkPhoneNumber',
    summary: 'Parts a phone number from its trunk',
    status: 204,
  },
  'GET /v1/Trunks/:Sid/Recording': { id: 'fetchTrunkRecording', summary: 'What a trunk records' },
  'POST /v1/Trunks/:Sid/Recording': {
    id: 'updateTrunkRecording',
    summary: 'Changes what a trunk records',
    form: 'Mode Trim',
  },
  'POST /2010-04-01/Accounts/:AccountSid/OutgoingCallerIds': {
    id: 'createOutgoingCallerId',
    summary: 'Adds a number that calls may come from',
    form: 'PhoneNumber* FriendlyName CallDelay Extension StatusCallback StatusCallbackMethod',
  },
  [`GET ${DIALING}/Countries`]: {
    id: 'listDialingPermissionsCountry',
    summary: 'The countries, and which of their numbers may be called',
    query: `IsoCode Continent CountryCode LowRiskNumbersEnabled HighRiskSpecialNumbersEnabled
      HighRiskTollfraudNumbersEnabled ${PAGE}`,
  },
  [`GET ${DIALING}/Countries/:IsoCode`]: {
    id: 'fetchDialingPermissionsCountry',
    summary: 'Which numbers of a country may be called',
  },
  [`GET ${DIALING}/Countries/:IsoCode/HighRiskSpecialPrefixes`]: {
    id: 'listHighRiskSpecialPrefix',
    summary: 'Prefixes of a country that are known for fraud',
    query: PAGE,
  },
  [`POST ${DIALING}/BulkCountryUpdates`]: {
    id: 'createBulkCountryUpdate',
    summary: 'Changes which numbers of several countries may be called',
    form: 'UpdateRequest*',
    status: 201,
  },
  'GET /v1/Settings': { id: 'fetchSettings', summary: 'Settings of dialing permissions' },
  'POST /v1/Settings': {
    id: 'updateSettings',
    summary: 'Changes settings of dialing permissions',
    form: 'DialingPermissionsInheritance',
    status: 202,
  },
  'POST /tandem/v1/Explain': {
    id: 'createExplain',
    summary: 'Where a call would go, and why, without placing it',
  },
  'POST /tandem/v1/LoadShare': {
    id: 'createLoadShare',
    summary: 'How calls would spread over the targets of a connection policy',
  },
  'GET /tandem/v1/Calls/:Sid/RouteTrace': {
    id: 'fetchRouteTrace',
    summary: 'Why a call went where it went',
  },
};
