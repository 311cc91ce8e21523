// A recording of a call: what is known of it, here; its sound is a file of its own (calls/recordings-files.ts).
import {
  boolean,
  dateTime,
  enumeration,
  enumerationList,
  httpMethod,
  httpUrl,
  integer,
  sidOf,
  text,
} from '../fields.ts';
import { type AnyResource, resource } from '../resource.ts';
import { call } from './call.ts';

/** `failed` is ours: the disk was full or too slow, and what was written until then is kept. */
const RECORDING_STATUSES = [
  'in-progress',
  'paused',
  'stopped',
  'processing',
  'completed',
  'absent',
  'failed',
  'deleted',
] as const;

const RECORDING_SOURCES = [
  'DialVerb',
  'Conference',
  'OutboundAPI',
  'Trunking',
  'RecordVerb',
  'StartCallRecordingAPI',
  'StartConferenceRecordingAPI',
] as const;

const RECORDING_TRACKS = ['inbound', 'outbound', 'both'] as const;

/** What may be told of a recording. */
export const RECORDING_EVENTS = ['in-progress', 'completed', 'absent', 'failed'] as const;

export const recording = resource({
  name: 'Recording',
  sid: 'RE',
  table: 'recordings',
  api: '2010-04-01',
  path: 'Recordings',
  key: 'recordings',
  kind: 'record',
  operations: ['fetch', 'list'],
  filters: ['dateCreated', 'callSid', 'conferenceSid'],
  softDeletion: 'isDeleted',
  // Twilio shows it under the call alone.
  hidden: ['track'],
  links: { add_on_results: 'AddOnResults', transcriptions: 'Transcriptions' },
  derived: {
    apiVersion: () => '2010-04-01',
    encryptionDetails: () => null,
    mediaUrl: ({ accountSid, sid }, _rows, baseUrl) =>
      `${baseUrl}/2010-04-01/Accounts/${accountSid}/Recordings/${sid}`,
  },
  fields: {
    /** Of the parent where there is a child call; the call may be deleted, its recordings stay. */
    callSid: sidOf('CA').required().readOnly(),
    conferenceSid: sidOf('CF').readOnly(),
    startTime: dateTime().readOnly(),
    /** Seconds; null until it is complete. */
    duration: integer({ asText: true }).readOnly(),
    price: text().readOnly(),
    priceUnit: text().default('USD').readOnly(),
    status: enumeration(RECORDING_STATUSES).default('in-progress').readOnly(),
    /** Of the file: 1 or 2. */
    channels: integer({ min: 1, max: 2 }).required().readOnly(),
    source: enumeration(RECORDING_SOURCES).required().readOnly(),
    track: enumeration(RECORDING_TRACKS).default('both').readOnly(),
    /** Why it is `absent` or `failed`. */
    errorCode: integer().readOnly(),

    statusCallback: httpUrl().internal(),
    statusCallbackMethod: httpMethod().default('POST').internal(),
    statusCallbackEvents: enumerationList(RECORDING_EVENTS).default([]).internal(),
    /** Its file is gone; the row is kept to be read by who asks for it. */
    isDeleted: boolean().default(false).internal(),
    /** The run of the exchange that writes it. */
    node: text().internal(),
  },
});

const { links: _, ...linkless } = recording;

/** The same rows, below the call they are of. */
export const callRecording: AnyResource = Object.freeze({
  ...linkless,
  name: 'CallRecording',
  parent: call,
  filters: ['dateCreated'],
  hidden: ['media_url'],
  viewOf: recording,
});
