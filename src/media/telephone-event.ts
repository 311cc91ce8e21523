// Keys as telephone-events (RFC 4733) and as tones (ITU-T Q.23).
//
//   |  event (8)  |E|R| volume (6) |  duration in samples (16)  |

export const EVENT_BYTES = 4;

const KEYS = '0123456789*#ABCD';
const END = 0x80;
const VOLUME = 10; // -10 dBm0
/** A longer press goes on in a new event where the duration overflows (RFC 4733 §2.5.1.3). */
const FULL_DURATION = 0xf000;

/** The key of an event code; undefined for flash, fax tones and the like. */
export const keyOf = (event: number): string | undefined => KEYS[event];

/** The event code of a key, in lower case too; -1 where it is none. */
export const eventOf = (key: string): number => KEYS.indexOf(key.toUpperCase());

const ROWS_HZ = [697, 770, 852, 941];
const COLUMNS_HZ = [1209, 1336, 1477, 1633];
const LAYOUT = ['123A', '456B', '789C', '*0#D'];

/** Both tones of a key. */
export function tonesOf(key: string): readonly number[] {
  const row = LAYOUT.findIndex((keys) => keys.includes(key.toUpperCase()));
  const column = LAYOUT[row]?.indexOf(key.toUpperCase()) ?? -1;
  return [ROWS_HZ[row], COLUMNS_HZ[column]].filter((hz) => hz !== undefined);
}

export interface TelephoneEvent {
  readonly event: number;
  readonly end: boolean;
  /** Samples since the key went down. */
  readonly duration: number;
}

export function writeEvent({ event, end, duration }: TelephoneEvent, datagram: Buffer, start: number): void {
  datagram[start] = event;
  datagram[start + 1] = (end ? END : 0) | VOLUME;
  datagram.writeUInt16BE(Math.min(duration, 0xffff), start + 2);
}

/** Tells the presses in a stream of events: every packet of one press has the press's timestamp. */
export class DigitReceiver {
  #timestamp = -1;
  #event = -1;
  #duration = 0;
  #ended = true;

  /**
   * @param payload The event's four bytes, at `start`, in order of sequence: late packets and duplicates left out.
   * @returns The key, once for each press, whichever of its packets comes first; else undefined.
   */
  receive(timestamp: number, payload: Buffer, start: number): string | undefined {
    const event = payload[start] as number;
    const ended = ((payload[start + 1] as number) & END) !== 0;
    const duration = payload.readUInt16BE(start + 2);
    const same = timestamp === this.#timestamp && event === this.#event;
    const pressed = !same && !this.#continues(event, timestamp);
    this.#timestamp = timestamp;
    this.#event = event;
    this.#duration = duration;
    this.#ended = ended;
    return pressed ? keyOf(event) : undefined;
  }

  /** The next segment of one long press. */
  #continues(event: number, timestamp: number): boolean {
    if (event !== this.#event || this.#ended || this.#duration < FULL_DURATION) return false;
    const later = (timestamp - this.#timestamp) >>> 0;
    return later >= FULL_DURATION && later <= 0x10000;
  }
}
