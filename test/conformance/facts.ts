// What Twilio's pages and traces say of parameters: which are required, what they default to, how far they may go.

/** Required on create; the code of a request without it. */
export const REQUIRED: Readonly<
  Record<string, { readonly parameters: readonly string[]; readonly code: number }>
> = {
  AuthCallsCredentialListMapping: { parameters: ['CredentialListSid'], code: 20001 },
  AuthCallsIpAccessControlListMapping: { parameters: ['IpAccessControlListSid'], code: 20001 },
  AuthRegistrationsCredentialListMapping: { parameters: ['CredentialListSid'], code: 20001 },
  CarrierRoute: { parameters: ['ByocTrunkSid'], code: 20001 },
  ConnectionPolicyTarget: { parameters: ['Target'], code: 20001 },
  Credential: { parameters: ['Username', 'Password'], code: 21243 },
  CredentialList: { parameters: ['FriendlyName'], code: 21240 },
  CredentialListMapping: { parameters: ['CredentialListSid'], code: 20001 },
  Domain: { parameters: ['DomainName'], code: 21231 },
  IncomingPhoneNumber: { parameters: ['PhoneNumber'], code: 21421 },
  InsecureTarget: { parameters: ['TargetSid'], code: 20001 },
  IpAccessControlList: { parameters: ['FriendlyName'], code: 21235 },
  IpAccessControlListMapping: { parameters: ['IpAccessControlListSid'], code: 20001 },
  IpAddress: { parameters: ['FriendlyName', 'IpAddress'], code: 21235 },
  IpRecord: { parameters: ['IpAddress'], code: 20001 },
  OriginationUrl: { parameters: ['FriendlyName', 'SipUrl', 'Priority', 'Weight', 'Enabled'], code: 20001 },
  SourceIpMapping: { parameters: ['IpRecordSid', 'SipDomainSid'], code: 20001 },
  TrunkCredentialList: { parameters: ['CredentialListSid'], code: 20001 },
  TrunkIpAccessControlList: { parameters: ['IpAccessControlListSid'], code: 20001 },
  TrunkPhoneNumber: { parameters: ['PhoneNumberSid'], code: 20001 },
};

/** Required on every update as well. */
export const REQUIRED_ON_UPDATE: Readonly<Record<string, readonly string[]>> = {
  CredentialList: ['FriendlyName'],
  IpAccessControlList: ['FriendlyName'],
  SourceIpMapping: ['SipDomainSid'],
};

/** The longest text of a parameter, or the least and greatest number. */
export const LIMITS: Readonly<Record<string, Readonly<Record<string, number | readonly [number, number]>>>> =
  {
    Account: { FriendlyName: 64 },
    Application: { FriendlyName: 64 },
    ByocTrunk: { FriendlyName: 255 },
    CarrierRoute: { Priority: [0, 65_535] },
    ConnectionPolicy: { FriendlyName: 255 },
    ConnectionPolicyTarget: { FriendlyName: 255, Priority: [0, 65_535], Weight: [1, 65_535] },
    CredentialList: { FriendlyName: 64 },
    Domain: { FriendlyName: 64 },
    IncomingPhoneNumber: { FriendlyName: 64 },
    IpAccessControlList: { FriendlyName: 255 },
    IpAddress: { FriendlyName: 255, CidrPrefixLength: [1, 32] },
    IpRecord: { FriendlyName: 255 },
    Key: { FriendlyName: 64 },
    OriginationUrl: { FriendlyName: 64, Priority: [0, 65_535], Weight: [0, 65_535] },
    OutgoingCallerId: { FriendlyName: 64 },
    Trunk: { FriendlyName: 255 },
  };

const WEBHOOKS = {
  voice_url: null,
  voice_method: 'POST',
  voice_fallback_url: null,
  voice_fallback_method: 'POST',
};

/** What a row has that was created with nothing but what is required. */
export const DEFAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  Application: {
    ...WEBHOOKS,
    friendly_name: null,
    api_version: '2010-04-01',
    status_callback: null,
    status_callback_method: 'POST',
    sms_method: 'POST',
    voice_caller_id_lookup: false,
    public_application_connect_enabled: false,
  },
  ByocTrunk: {
    ...WEBHOOKS,
    friendly_name: null,
    status_callback_url: null,
    status_callback_method: 'POST',
    cnam_lookup_enabled: false,
    connection_policy_sid: null,
    from_domain_sid: null,
  },
  CarrierRoute: { prefix: '', priority: 10 },
  ConnectionPolicy: { friendly_name: null },
  ConnectionPolicyTarget: { friendly_name: null, priority: 10, weight: 10, enabled: true },
  Domain: {
    ...WEBHOOKS,
    friendly_name: null,
    voice_status_callback_url: null,
    voice_status_callback_method: 'POST',
    sip_registration: false,
    emergency_calling_enabled: false,
    secure: false,
    auth_type: '',
    byoc_trunk_sid: null,
    emergency_caller_sid: null,
  },
  IncomingPhoneNumber: {
    ...WEBHOOKS,
    status_callback: '',
    status_callback_method: 'POST',
    trunk_sid: null,
    voice_application_sid: '',
    voice_receive_mode: 'voice',
    emergency_status: 'Inactive',
  },
  IpAddress: { cidr_prefix_length: 32 },
  IpRecord: { cidr_prefix_length: 32, friendly_name: null },
  Key: { friendly_name: null },
  Trunk: {
    friendly_name: null,
    domain_name: null,
    disaster_recovery_url: null,
    disaster_recovery_method: 'POST',
    transfer_mode: 'disable-all',
    transfer_caller_id: 'from-transferee',
    secure: false,
    cnam_lookup_enabled: false,
    symmetric_rtp_enabled: false,
    recording: { mode: 'do-not-record', trim: 'do-not-trim' },
  },
};
