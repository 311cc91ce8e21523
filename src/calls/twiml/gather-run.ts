// Performs a <Gather>: plays its prompts, keeps its timer, and feeds it the keys.
import type { Clock, Timer } from '../../lib/clock.ts';
import {
  type Action,
  beginGather,
  type GatherAction,
  type GatherState,
  type GatherStep,
  type Input,
  stepGather,
} from '../../twiml/index.ts';
import type { PromptPlayer } from './prompt-player.ts';

export interface GatherRunDeps {
  readonly clock: Clock;
  readonly player: PromptPlayer;
  /** Called once, unless it was stopped before. */
  done(input: Input & { type: 'gathered' }): void;
}

export class GatherRun {
  readonly #deps: GatherRunDeps;
  #state: GatherState;
  #timer: Timer | undefined;
  #isOver = false;

  constructor(deps: GatherRunDeps, gather: Action & { type: 'gather' }) {
    this.#deps = deps;
    const first = beginGather(gather);
    this.#state = first.state;
    this.#perform(first.action);
  }

  key(key: string): void {
    this.#go(stepGather(this.#state, { type: 'key', key }));
  }

  /** Nothing is told any more. */
  stop(): void {
    this.#isOver = true;
    this.#deps.clock.cancel(this.#timer);
    this.#deps.player.stop();
  }

  #go({ state, action }: GatherStep): void {
    if (this.#isOver) return;
    this.#state = state;
    this.#perform(action);
  }

  #perform(action: GatherAction): void {
    const { clock, player, done } = this.#deps;
    switch (action.type) {
      case 'prompt':
        void player
          .play(action.prompt, 'gather')
          .then(() => this.#go(stepGather(this.#state, { type: 'prompt-done' })));
        return;
      case 'wait':
        player.stop();
        clock.cancel(this.#timer);
        this.#timer = clock.after(action.timeoutMs, () =>
          this.#go(stepGather(this.#state, { type: 'timeout' })),
        );
        return;
      case 'collected': {
        this.stop();
        const { digits, finishKey } = action;
        return done({ type: 'gathered', digits, finishKey });
      }
      case 'none':
    }
  }
}
