// GSM 06.10 full rate, the bits: 20 ms of sound as the 76 parameters of a frame (ETSI EN 300 961 §1.7, table 1.1).

/** 5 ms of the excitation, as codes. */
export interface GsmSubframe {
  /** How many samples back the sound is alike (`Nc`), 0 to 127. */
  readonly lag: number;
  /** How much alike (`bc`), 0 to 3. */
  readonly gain: number;
  /** Where the first pulse stands (`Mc`), 0 to 3; each further one stands three samples on. */
  readonly grid: number;
  /** The largest pulse (`xmaxc`), 0 to 63. */
  readonly peak: number;
  /** 13 pulses (`xMc`), 0 to 7 each. */
  readonly pulses: readonly number[];
}

export interface GsmFrame {
  /** 8 codes of the filter that shapes the sound (`LARc`). */
  readonly ratios: readonly number[];
  /** 4. */
  readonly subframes: readonly GsmSubframe[];
}

const RATIO_BITS = [6, 6, 5, 5, 4, 4, 3, 3];
const SUBFRAMES = 4;
const PULSES = 13;

/** Of a frame in a `.gsm` file: four bits of signature, then the 260 bits, the highest of each byte first. */
const FRAME_BYTES = 33;
const SIGNATURE = 0xd;
/** Of two frames in a WAV file, together: 520 bits, the lowest of each byte first. */
const WAV_BLOCK_BYTES = 65;

/** Takes so many bits as a number. */
type TakeBits = (count: number) => number;

/** Whole frames, each with its signature. */
export function isGsm(bytes: Buffer): boolean {
  if (bytes.length === 0 || bytes.length % FRAME_BYTES !== 0) return false;
  for (let at = 0; at < bytes.length; at += FRAME_BYTES)
    if ((bytes[at] as number) >> 4 !== SIGNATURE) return false;
  return true;
}

/** @param bytes of a `.gsm` file: `isGsm`. */
export function* gsmFrames(bytes: Buffer): Generator<GsmFrame> {
  for (let at = 0; at < bytes.length; at += FRAME_BYTES) {
    const take = highBitsFirst(bytes.subarray(at, at + FRAME_BYTES));
    take(4);
    yield readFrame(take);
  }
}

/**
 * @param bytes the samples of a WAV file with encoding 49
 * @throws {RangeError} where they end inside a block.
 */
export function* wavGsmFrames(bytes: Buffer): Generator<GsmFrame> {
  if (bytes.length % WAV_BLOCK_BYTES !== 0) throw new RangeError('the sound ends inside a block of GSM');
  for (let at = 0; at < bytes.length; at += WAV_BLOCK_BYTES) {
    const take = lowBitsFirst(bytes.subarray(at, at + WAV_BLOCK_BYTES));
    yield readFrame(take);
    yield readFrame(take);
  }
}

function readFrame(take: TakeBits): GsmFrame {
  return {
    ratios: RATIO_BITS.map(take),
    subframes: Array.from({ length: SUBFRAMES }, () => ({
      lag: take(7),
      gain: take(2),
      grid: take(2),
      peak: take(6),
      pulses: Array.from({ length: PULSES }, () => take(3)),
    })),
  };
}

function highBitsFirst(bytes: Buffer): TakeBits {
  let next = 0;
  return (count) => {
    let value = 0;
    for (const end = next + count; next < end; next++)
      value = (value << 1) | (((bytes[next >> 3] as number) >> (7 - (next & 7))) & 1);
    return value;
  };
}

function lowBitsFirst(bytes: Buffer): TakeBits {
  let next = 0;
  return (count) => {
    let value = 0;
    for (let bit = 0; bit < count; bit++, next++)
      value |= (((bytes[next >> 3] as number) >> (next & 7)) & 1) << bit;
    return value;
  };
}
