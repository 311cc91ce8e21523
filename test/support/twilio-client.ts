// The official client, unmodified, sent to a server of ours: only scheme and host of its requests are replaced.
import twilio from 'twilio';
import RequestClient from 'twilio/lib/base/RequestClient.js';

type Request = RequestClient.RequestOptions;

class RedirectedClient extends RequestClient {
  readonly #baseUrl: string;

  constructor(baseUrl: string) {
    super();
    this.#baseUrl = baseUrl;
  }

  override request(options: Request): ReturnType<RequestClient['request']> {
    const uri = options.uri.replace(/^https?:\/\/[^/]+/, this.#baseUrl);
    return super.request({ ...options, uri });
  }
}

/** `baseUrl` such as `http://127.0.0.1:8080`, no slash at the end. */
export const twilioClient = (baseUrl: string, accountSid: string, authToken: string): twilio.Twilio =>
  twilio(accountSid, authToken, { httpClient: new RedirectedClient(baseUrl) });
