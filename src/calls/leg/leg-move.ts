// Takes a party's media to another session of ours, in a family where it can be bridged: sockets cannot cross threads.
import { type MediaEngine, MediaError, type MediaSession } from '../../media/index.ts';
import { SdpError } from '../../sdp/index.ts';
import type { Dialog, ReofferOutcome } from '../../sip/index.ts';
import type { LegMedia } from './leg-media.ts';

/**
 * Resolves with whether the party's media flows there now; where not, it flows as before. Does not resolve where the
 * dialog ends meanwhile: whoever closes `media` then frees all of its ports.
 */
export async function moveMedia(
  media: LegMedia,
  dialog: Dialog,
  { engine, family }: { readonly engine: MediaEngine; readonly family: string },
): Promise<boolean> {
  const session = await openIn(engine, family);
  if (!session) return false;
  const move = media.offerMove(session);
  return new Promise((resolve) => {
    dialog.reoffer(move.body, (outcome) => {
      const isTaken = takes(outcome, (answer) => move.answered(answer));
      if (!isTaken) move.refused();
      resolve(isTaken);
    });
  });
}

async function openIn(engine: MediaEngine, family: string): Promise<MediaSession | undefined> {
  try {
    return await engine.open({ family });
  } catch (error) {
    if (error instanceof MediaError) return undefined;
    throw error;
  }
}

function takes(outcome: ReofferOutcome, answered: (answer: string) => void): boolean {
  if (outcome.kind !== 'response' || outcome.response.status >= 300) return false;
  try {
    answered(outcome.response.body);
    return true;
  } catch (error) {
    if (error instanceof SdpError) return false;
    throw error;
  }
}
