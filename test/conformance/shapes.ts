// What Twilio's public API names: properties of what it shows and parameters of what it takes, resource by resource.

export interface Shape {
  /** In lists, and alone. */
  readonly properties: readonly string[];
  /** Alone only. */
  readonly instanceProperties: readonly string[];
  /** Names inside `links` or `subresource_uris`. */
  readonly links: readonly string[];
  readonly createParameters: readonly string[];
  readonly updateParameters: readonly string[];
  readonly filters: readonly string[];
}

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '');

const shape = (parts: Partial<Record<keyof Shape, string>>): Shape => ({
  properties: words(parts.properties ?? ''),
  instanceProperties: words(parts.instanceProperties ?? ''),
  links: words(parts.links ?? ''),
  createParameters: words(parts.createParameters ?? ''),
  updateParameters: words(parts.updateParameters ?? ''),
  filters: words(parts.filters ?? ''),
});

const BYOC_PARAMETERS = `FriendlyName VoiceUrl VoiceMethod VoiceFallbackUrl VoiceFallbackMethod StatusCallbackUrl
  StatusCallbackMethod CnamLookupEnabled ConnectionPolicySid FromDomainSid`;

const DOMAIN_PARAMETERS = `DomainName FriendlyName VoiceUrl VoiceMethod VoiceFallbackUrl VoiceFallbackMethod
  VoiceStatusCallbackUrl VoiceStatusCallbackMethod SipRegistration EmergencyCallingEnabled Secure ByocTrunkSid
  EmergencyCallerSid`;

const TRUNK_PARAMETERS = `FriendlyName DomainName DisasterRecoveryUrl DisasterRecoveryMethod TransferMode Secure
  CnamLookupEnabled TransferCallerId`;

const APPLICATION_PARAMETERS = `ApiVersion VoiceUrl VoiceMethod VoiceFallbackUrl VoiceFallbackMethod StatusCallback
  StatusCallbackMethod VoiceCallerIdLookup SmsUrl SmsMethod SmsFallbackUrl SmsFallbackMethod SmsStatusCallback
  MessageStatusCallback FriendlyName PublicApplicationConnectEnabled`;

/** Without AreaCode and, on update, AccountSid: docs/api.md says why. */
const NUMBER_PARAMETERS = `ApiVersion FriendlyName SmsApplicationSid SmsFallbackMethod SmsFallbackUrl SmsMethod SmsUrl
  StatusCallback StatusCallbackMethod VoiceApplicationSid VoiceCallerIdLookup VoiceFallbackMethod VoiceFallbackUrl
  VoiceMethod VoiceUrl EmergencyStatus EmergencyAddressSid TrunkSid VoiceReceiveMode IdentitySid AddressSid BundleSid`;

const NOTIFICATION = `account_sid api_version call_sid date_created date_updated error_code log message_date
  message_text more_info request_method request_url sid uri`;

const RECORDING = `account_sid api_version call_sid channels conference_sid date_created date_updated duration
  encryption_details error_code price price_unit sid source start_time status uri`;

const LEGACY_MAPPING = 'account_sid date_created date_updated domain_sid friendly_name sid uri';
const MAPPING = 'account_sid date_created date_updated friendly_name sid';

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
    createParameters: BYOC_PARAMETERS,
    updateParameters: BYOC_PARAMETERS,
  }),
  Account: shape({
    properties: `auth_token date_created date_updated friendly_name owner_account_sid sid status subresource_uris
      type uri`,
    links: `addresses applications authorized_connect_apps available_phone_numbers balance calls conferences
      connect_apps incoming_phone_numbers keys messages notifications outgoing_caller_ids queues recordings
      short_codes signing_keys sip transcriptions usage`,
    createParameters: 'FriendlyName',
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
  CallEvent: shape({ properties: 'request response' }),
  CallNotification: shape({
    properties: NOTIFICATION,
    instanceProperties: 'request_variables response_headers response_body',
    filters: 'Log MessageDate',
  }),
  Notification: shape({
    properties: NOTIFICATION,
    instanceProperties: 'request_variables response_headers response_body',
    filters: 'Log MessageDate',
  }),
  Recording: shape({
    properties: `${RECORDING} subresource_uris media_url`,
    links: 'add_on_results transcriptions',
    filters: 'DateCreated CallSid ConferenceSid',
  }),
  CallRecording: shape({ properties: `${RECORDING} track`, filters: 'DateCreated' }),
  IpRecord: shape({
    properties: 'account_sid sid friendly_name ip_address cidr_prefix_length date_created date_updated url',
    createParameters: 'IpAddress FriendlyName CidrPrefixLength',
    updateParameters: 'FriendlyName',
  }),
  SourceIpMapping: shape({
    properties: 'sid ip_record_sid sip_domain_sid date_created date_updated url',
    createParameters: 'IpRecordSid SipDomainSid',
    updateParameters: 'SipDomainSid',
  }),
  Trunk: shape({
    properties: `account_sid domain_name disaster_recovery_method disaster_recovery_url friendly_name secure recording
      transfer_mode transfer_caller_id cnam_lookup_enabled auth_type symmetric_rtp_enabled auth_type_set date_created
      date_updated sid url links`,
    links: 'origination_urls credential_lists ip_access_control_lists phone_numbers',
    createParameters: TRUNK_PARAMETERS,
    updateParameters: TRUNK_PARAMETERS,
  }),
  OriginationUrl: shape({
    properties: `account_sid sid trunk_sid weight enabled sip_url friendly_name priority date_created date_updated
      url`,
    createParameters: 'Weight Priority Enabled FriendlyName SipUrl',
    updateParameters: 'Weight Priority Enabled FriendlyName SipUrl',
  }),
  TrunkCredentialList: shape({
    properties: 'account_sid sid trunk_sid friendly_name date_created date_updated url',
    createParameters: 'CredentialListSid',
  }),
  TrunkIpAccessControlList: shape({
    properties: 'account_sid sid trunk_sid friendly_name date_created date_updated url',
    createParameters: 'IpAccessControlListSid',
  }),
  TrunkPhoneNumber: shape({
    properties: `account_sid address_requirements api_version beta capabilities date_created date_updated
      friendly_name links phone_number sid sms_application_sid sms_fallback_method sms_fallback_url sms_method sms_url
      status_callback status_callback_method trunk_sid url voice_application_sid voice_caller_id_lookup
      voice_fallback_method voice_fallback_url voice_method voice_url`,
    links: 'phone_number',
    createParameters: 'PhoneNumberSid',
  }),
  Domain: shape({
    properties: `account_sid api_version auth_type date_created date_updated domain_name friendly_name sid uri
      voice_fallback_method voice_fallback_url voice_method voice_status_callback_method voice_status_callback_url
      voice_url subresource_uris sip_registration emergency_calling_enabled secure byoc_trunk_sid
      emergency_caller_sid`,
    links: 'credential_list_mappings ip_access_control_list_mappings',
    createParameters: DOMAIN_PARAMETERS,
    updateParameters: DOMAIN_PARAMETERS,
  }),
  AuthCallsCredentialListMapping: shape({ properties: MAPPING, createParameters: 'CredentialListSid' }),
  AuthRegistrationsCredentialListMapping: shape({
    properties: MAPPING,
    createParameters: 'CredentialListSid',
  }),
  AuthCallsIpAccessControlListMapping: shape({
    properties: MAPPING,
    createParameters: 'IpAccessControlListSid',
  }),
  CredentialListMapping: shape({ properties: LEGACY_MAPPING, createParameters: 'CredentialListSid' }),
  IpAccessControlListMapping: shape({
    properties: LEGACY_MAPPING,
    createParameters: 'IpAccessControlListSid',
  }),
  CredentialList: shape({
    properties: 'account_sid date_created date_updated friendly_name sid subresource_uris uri',
    links: 'credentials',
    createParameters: 'FriendlyName',
    updateParameters: 'FriendlyName',
  }),
  Credential: shape({
    properties: 'sid account_sid credential_list_sid username date_created date_updated uri',
    createParameters: 'Username Password',
    updateParameters: 'Password',
  }),
  IpAccessControlList: shape({
    properties: 'sid account_sid friendly_name date_created date_updated subresource_uris uri',
    links: 'ip_addresses',
    createParameters: 'FriendlyName',
    updateParameters: 'FriendlyName',
  }),
  IpAddress: shape({
    properties: `sid account_sid friendly_name ip_address cidr_prefix_length ip_access_control_list_sid date_created
      date_updated uri`,
    createParameters: 'FriendlyName IpAddress CidrPrefixLength',
    updateParameters: 'IpAddress FriendlyName CidrPrefixLength',
  }),
  IncomingPhoneNumber: shape({
    properties: `account_sid address_sid address_requirements api_version beta capabilities date_created date_updated
      friendly_name identity_sid phone_number origin sid sms_application_sid sms_fallback_method sms_fallback_url
      sms_method sms_url status_callback status_callback_method trunk_sid uri voice_receive_mode
      voice_application_sid voice_caller_id_lookup voice_fallback_method voice_fallback_url voice_method voice_url
      emergency_status emergency_address_sid emergency_address_status bundle_sid status type`,
    createParameters: `PhoneNumber ${NUMBER_PARAMETERS}`,
    updateParameters: NUMBER_PARAMETERS,
    filters: 'Beta FriendlyName PhoneNumber Origin',
  }),
  OutgoingCallerId: shape({
    properties: 'sid date_created date_updated friendly_name account_sid phone_number uri',
    createParameters: 'PhoneNumber FriendlyName',
    updateParameters: 'FriendlyName',
    filters: 'PhoneNumber FriendlyName',
  }),
  Application: shape({
    properties: `account_sid api_version date_created date_updated friendly_name message_status_callback sid
      sms_fallback_method sms_fallback_url sms_method sms_status_callback sms_url status_callback
      status_callback_method uri voice_caller_id_lookup voice_fallback_method voice_fallback_url voice_method
      voice_url public_application_connect_enabled`,
    createParameters: APPLICATION_PARAMETERS,
    updateParameters: APPLICATION_PARAMETERS,
    filters: 'FriendlyName',
  }),
  Key: shape({
    properties: 'sid friendly_name date_created date_updated',
    createParameters: 'FriendlyName',
    updateParameters: 'FriendlyName',
  }),
  CarrierRoute: shape({
    properties: 'account_sid sid prefix byoc_trunk_sid priority date_created date_updated url',
    createParameters: 'Prefix ByocTrunkSid Priority',
    updateParameters: 'Prefix ByocTrunkSid Priority',
  }),
  InsecureTarget: shape({
    properties: 'account_sid sid target_sid date_created date_updated url',
    createParameters: 'TargetSid',
    filters: 'TargetSid',
  }),
  AuditEvent: shape({
    properties: `account_sid sid actor_sid action resource_type resource_sid before after date_created date_updated
      url`,
    filters: 'ActorSid Action ResourceType ResourceSid',
  }),
  Registration: shape({
    properties: `account_sid sid domain_sid domain aor username contact instance_id reg_id source_ip source_port
      transport user_agent sip_call_id expires_at date_created date_updated url`,
    filters: 'Domain DomainSid Aor Username',
  }),
  RejectedCall: shape({
    properties: `account_sid sid method source_ip source_port transport domain domain_sid trunk_sid from to
      sip_call_id status error_code reason fix count last_rejected_at date_created date_updated url`,
    filters: 'Method SourceIp Domain DomainSid TrunkSid Status ErrorCode LastRejectedAt',
  }),
  Webhook: shape({
    properties: `account_sid sid call_sid status sequence_number request_method request_url request_parameters attempts
      sent_at duration_ms response_status response_headers response_body error_code error_message next_attempt_at
      date_created date_updated url links`,
    links: 'replay',
    filters: 'CallSid Status RequestUrl DateCreated',
  }),
};

/** List keys, exactly. */
export const LIST_KEYS: Readonly<Record<string, string>> = {
  Account: 'accounts',
  Application: 'applications',
  AuditEvent: 'audit_events',
  AuthCallsCredentialListMapping: 'contents',
  AuthCallsIpAccessControlListMapping: 'contents',
  AuthRegistrationsCredentialListMapping: 'contents',
  ByocTrunk: 'byoc_trunks',
  Call: 'calls',
  CallEvent: 'events',
  CallNotification: 'notifications',
  CallRecording: 'recordings',
  CarrierRoute: 'carrier_routes',
  ConnectionPolicy: 'connection_policies',
  ConnectionPolicyTarget: 'targets',
  Credential: 'credentials',
  CredentialList: 'credential_lists',
  CredentialListMapping: 'credential_list_mappings',
  Domain: 'domains',
  IncomingPhoneNumber: 'incoming_phone_numbers',
  InsecureTarget: 'insecure_targets',
  IpAccessControlList: 'ip_access_control_lists',
  IpAccessControlListMapping: 'ip_access_control_list_mappings',
  IpAddress: 'ip_addresses',
  IpRecord: 'ip_records',
  Key: 'keys',
  Notification: 'notifications',
  Recording: 'recordings',
  OriginationUrl: 'origination_urls',
  OutgoingCallerId: 'outgoing_caller_ids',
  Registration: 'registrations',
  RejectedCall: 'rejected_calls',
  SourceIpMapping: 'source_ip_mappings',
  Trunk: 'trunks',
  TrunkCredentialList: 'credential_lists',
  TrunkIpAccessControlList: 'ip_access_control_lists',
  TrunkPhoneNumber: 'phone_numbers',
  Webhook: 'webhooks',
};
