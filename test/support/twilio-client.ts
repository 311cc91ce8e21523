// The official client, unmodified, sent to a server of ours: only scheme and host of its requests are replaced.
import twilio from 'twilio';

/**
 * @param baseUrl such as `http://127.0.0.1:8080`, no slash at the end.
 * @param user an account's SID and its token, or an API key's SID and its secret together with `accountSid`.
 */
export function twilioClient(
  baseUrl: string,
  user: string,
  password: string,
  accountSid = user,
): twilio.Twilio {
  const httpClient = new twilio.RequestClient();
  const send = httpClient.request.bind(httpClient);
  httpClient.request = (options) =>
    send({ ...options, uri: options.uri.replace(/^https?:\/\/[^/]+/, baseUrl) });
  return twilio(user, password, { accountSid, httpClient });
}

/** The value of an Authorization header. */
export const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
