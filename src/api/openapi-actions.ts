// The operations that follow from no definition, described by hand for the OpenAPI document.

import { type AnyResource, targetHealth } from '../resources/index.ts';

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
  /** Resource of which a page is answered. */
  readonly pageOf?: AnyResource;
  /** Content types, where no JSON is answered. */
  readonly types?: string;
}

const NUMBER = '/v1/Trunks/:ParentSid/PhoneNumbers';
const CALLS = '/2010-04-01/Accounts/:AccountSid/Calls';
const RECORDINGS = '/2010-04-01/Accounts/:AccountSid/Recordings';
const DIALING = '/v1/DialingPermissions';
const PAGE = 'PageSize Page PageToken';

/** By method and path as they are routed; `(bare)` for a path that is served without `.json`. */
export const ACTIONS: { readonly [route: string]: ActionDescription } = {
  [`POST ${CALLS}`]: {
    id: 'createCall',
    summary: 'Places a call',
    form: `To* From* Url Method Twiml ApplicationSid FallbackUrl FallbackMethod StatusCallback StatusCallbackMethod
      StatusCallbackEvent Timeout TimeLimit Byoc CallerId CallReason CallToken ClientNotificationUrl SipAuthUsername
      SipAuthPassword SendDigits Record RecordingChannels RecordingTrack RecordingStatusCallback
      RecordingStatusCallbackMethod RecordingStatusCallbackEvent Trim MachineDetection MachineDetectionTimeout
      MachineDetectionSpeechThreshold MachineDetectionSpeechEndThreshold MachineDetectionSilenceTimeout AsyncAmd
      AsyncAmdStatusCallback AsyncAmdStatusCallbackMethod`,
    status: 201,
    schema: 'Call',
  },
  [`POST ${CALLS}/:Sid`]: {
    id: 'updateCall',
    summary: 'Ends a call, gives it other TwiML, or changes its webhooks and its time limit',
    form: `Status Url Method Twiml FallbackUrl FallbackMethod StatusCallback StatusCallbackMethod TimeLimit`,
    schema: 'Call',
  },
  [`DELETE ${CALLS}/:Sid`]: {
    id: 'deleteCall',
    summary: 'Deletes the record of a call that has ended',
    status: 204,
  },
  [`POST ${CALLS}/:ParentSid/Recordings`]: {
    id: 'createCallRecording',
    summary: 'Records a call that is answered',
    form: `RecordingChannels RecordingTrack RecordingStatusCallback RecordingStatusCallbackMethod
      RecordingStatusCallbackEvent Trim`,
    status: 201,
    schema: 'CallRecording',
  },
  [`POST ${CALLS}/:ParentSid/Recordings/:Sid`]: {
    id: 'updateCallRecording',
    summary: 'Pauses, resumes or stops a recording under way; Twilio.CURRENT stands for the latest',
    form: 'Status* PauseBehavior',
    schema: 'CallRecording',
  },
  [`DELETE ${CALLS}/:ParentSid/Recordings/:Sid`]: {
    id: 'deleteCallRecording',
    summary: 'Deletes a recording of a call that has ended',
    status: 204,
  },
  [`DELETE ${RECORDINGS}/:Sid`]: {
    id: 'deleteRecording',
    summary: 'Deletes a recording; its row stays for those who ask for it with IncludeSoftDeleted',
    status: 204,
  },
  [`GET ${RECORDINGS}/:Sid (bare)`]: {
    id: 'fetchRecordingMedia',
    summary: 'The sound of a recording: WAV with .wav or nothing after its SID, MP3 with .mp3',
    query: 'RequestedChannels',
    types: 'audio/x-wav audio/mpeg',
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
  'POST /tandem/v1/Webhooks/Replay': {
    id: 'replayWebhooks',
    summary: 'Sends webhooks again that are over: those that failed, unless a status is named; 1000 at most',
    form: 'CallSid Status RequestUrl DateCreated DateCreated< DateCreated>',
    status: 202,
  },
  'POST /tandem/v1/Webhooks/:Sid/Replay': {
    id: 'replayWebhook',
    summary: 'Sends a webhook again that is over',
    status: 202,
    schema: 'Webhook',
  },
  'POST /tandem/v1/Explain': {
    id: 'createExplain',
    summary:
      'What would become of a call, and why, without placing it; of one that comes in where SourceIp is given',
    form: 'To* From* Byoc SourceIp Transport Username',
  },
  'POST /tandem/v1/LoadShare': {
    id: 'createLoadShare',
    summary: 'How calls would spread over the targets of a connection policy',
  },
  'GET /tandem/v1/TargetHealth': {
    id: 'listTargetHealth',
    summary: 'Which targets and origination URLs are up and which are down, since when and why',
    query: `ConnectionPolicySid TrunkSid State ${PAGE}`,
    pageOf: targetHealth,
  },
  'GET /tandem/v1/TargetHealth/:Sid': {
    id: 'fetchTargetHealth',
    summary: 'Whether a target or an origination URL is up or down, since when and why',
    schema: 'TargetHealth',
  },
  'GET /tandem/v1/Calls/:Sid/RouteTrace': {
    id: 'fetchRouteTrace',
    summary: 'Why a call went where it went',
  },
};
