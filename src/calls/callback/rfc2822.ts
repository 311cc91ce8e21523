/** A time as callbacks tell it: `Sun, 25 Mar 2018 09:53:19 +0000`. */
export const rfc2822 = (ms: number): string => new Date(ms).toUTCString().replace('GMT', '+0000');
