import { describeHostileMedia } from '../../test/support/hostile-media.ts';
import { describeMediaEngine } from '../../test/support/media-contract.ts';
import { silentLog } from '../lib/log.ts';
import { createMediaEngine } from './media-engine.ts';

// Ports of this process alone: other runs of the tests may be under way.
const first = 31_000 + (process.pid % 40) * 400;

const open = () =>
  createMediaEngine({ address: '127.0.0.1', ports: { first, last: first + 399 }, log: silentLog });

describeMediaEngine('the built-in engine', open);
describeHostileMedia('the built-in engine', open);
