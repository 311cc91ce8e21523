// What Twilio's public API names: properties of what it shows and parameters of what it takes, resource by resource.

export interface Shape {
  readonly properties: readonly string[];
  /** Names inside `links` or `subresource_uris`. */
  readonly links: readonly string[];
  readonly createParameters: readonly string[];
  readonly updateParameters: readonly string[];
  readonly filters: readonly string[];
}

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '');

const shape = (parts: Partial<Record<keyof Shape, string>>): Shape => ({
  properties: words(parts.properties ?? ''),
  links: words(parts.links ?? ''),
  createParameters: words(parts.createParameters ?? ''),
  updateParameters: words(parts.updateParameters ?? ''),
  filters: words(parts.filters ?? ''),
});

const TRUNK_PARAMETERS = `FriendlyName VoiceUrl VoiceMethod VoiceFallbackUrl VoiceFallbackMethod StatusCallbackUrl
  StatusCallbackMethod CnamLookupEnabled ConnectionPolicySid FromDomainSid`;

export const SHAPES: Readonly<Record<string, Shape>> = {
  ConnectionPolicy: shape({
    properties: 'account_sid sid friendly_name date_created date_updated url links',
    links: 'targets',
    createParameters: 'FriendlyName',
    updateParameters: 'FriendlyName',
  }),
  ConnectionPolicyTarget: shape({
    properties: `account_sid connection_policy_sid sid friendly_name target priority weight enabled
      date_created date_updated url`,
    createParameters: 'Target FriendlyName Priority Weight Enabled',
    updateParameters: 'Target FriendlyName Priority Weight Enabled',
  }),
  ByocTrunk: shape({
    properties: `account_sid sid friendly_name voice_url voice_method voice_fallback_url voice_fallback_method
      status_callback_url status_callback_method cnam_lookup_enabled connection_policy_sid from_domain_sid
      date_created date_updated url`,
    createParameters: TRUNK_PARAMETERS,
    updateParameters: TRUNK_PARAMETERS,
  }),
  Account: shape({
    properties: `auth_token date_created date_updated friendly_name owner_account_sid sid status subresource_uris
      type uri`,
    links: `addresses applications authorized_connect_apps available_phone_numbers balance calls conferences
      connect_apps incoming_phone_numbers keys messages notifications outgoing_caller_ids queues recordings
      short_codes signing_keys sip transcriptions usage`,
    updateParameters: 'FriendlyName Status',
    filters: 'FriendlyName Status',
  }),
  Call: shape({
    properties: `sid date_created date_updated parent_call_sid account_sid to to_formatted from from_formatted
      phone_number_sid status start_time end_time duration price price_unit direction answered_by api_version
      forwarded_from group_sid caller_name queue_time trunk_sid uri subresource_uris`,
    links: `events notifications payments recordings siprec streams transcriptions
      user_defined_message_subscriptions user_defined_messages`,
    filters: 'To From ParentCallSid Status StartTime EndTime',
  }),
};
