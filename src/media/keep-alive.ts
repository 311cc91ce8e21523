// When a bridged leg that has nothing to relay is sent silence all the same: for NATs, and for peers that wait for us.
import { FRAME_MS } from './pacer.ts';

/** A leg to which nothing was sent for so long is quiet: what is sent next begins anew. */
const QUIET_FRAMES = 200 / FRAME_MS;
/** A peer, or a NAT on the way to it, gets so many packets at first, one for every quiet: for one second. */
const OPENING_PACKETS = 5;
/** RFC 6263 wants a packet so often over UDP, lest a NAT forgets the way. */
const KEEP_ALIVE_FRAMES = 15_000 / FRAME_MS;

export class KeepAlive {
  #sentAt = -KEEP_ALIVE_FRAMES;
  #opening = OPENING_PACKETS;

  /** The way to the peer is new, or who speaks to it is. */
  open(): void {
    this.#opening = OPENING_PACKETS;
  }

  /** A packet of any kind was sent in this beat. */
  sent(frame: number): void {
    this.#sentAt = frame;
    if (this.#opening > 0) this.#opening--;
  }

  /** Whether nothing was sent for a while. */
  isQuiet(frame: number): boolean {
    return frame - this.#sentAt >= QUIET_FRAMES;
  }

  /** The beat in which silence is due, if nothing is sent before; now, or long ago, where nothing ever was. */
  get due(): number {
    return this.#sentAt + (this.#opening > 0 ? QUIET_FRAMES : KEEP_ALIVE_FRAMES);
  }
}
