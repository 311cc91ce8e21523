/**
 * The same text, in memory of its own. V8 cuts a long enough slice without copying, and so keeps all of the text that
 * it was cut from: what outlives a message would hold the whole message.
 */
export const ownCopy = (text: string): string => Buffer.from(text).toString();
