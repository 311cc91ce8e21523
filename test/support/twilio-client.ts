// The official client, unmodified, sent to a server of ours: only scheme and host of its requests are replaced.
import twilio from 'twilio';

/** `baseUrl` such as `http://127.0.0.1:8080`, no slash at the end. */
export function twilioClient(baseUrl: string, accountSid: string, authToken: string): twilio.Twilio {
  const httpClient = new twilio.RequestClient();
  const send = httpClient.request.bind(httpClient);
  httpClient.request = (options) =>
    send({ ...options, uri: options.uri.replace(/^https?:\/\/[^/]+/, baseUrl) });
  return twilio(accountSid, authToken, { httpClient });
}
