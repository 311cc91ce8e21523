// A file of GSM 06.10 with a tone of 1000 Hz: one frame that `toast` made of it, over and over.

const FRAME = Buffer.from('1H7LIVpRgA1GZqeVYYAaanTYpLGAGqp02OTxoGLpkcjr', 'base64');
const FRAMES_PER_SECOND = 50;

export const toneGsm = (seconds: number): Buffer =>
  Buffer.concat(Array.from({ length: seconds * FRAMES_PER_SECOND }, () => FRAME));
