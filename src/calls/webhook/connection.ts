// A connection to an app that is used for one request after the other, and the answers that came over it.
import { Client, type Dispatcher } from 'undici';
import { AnswerReader } from './answer.ts';

export class Connection extends Client {
  #answers = 0;

  constructor(...given: ConstructorParameters<typeof Client>) {
    super(...given);
    // One client has one connection at a time.
    this.on('connect', () => {
      this.#answers = 0;
    });
  }

  get hasAnswered(): boolean {
    return this.#answers > 0;
  }

  answered(): void {
    this.#answers += 1;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (handler instanceof AnswerReader) handler.goesOver(this);
    return super.dispatch(options, handler);
  }
}
