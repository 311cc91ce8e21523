import { describeHostileMedia } from '../../test/support/hostile-media.ts';
import { describeMediaEngine } from '../../test/support/media-contract.ts';
import { ownPorts } from '../../test/support/own-ports.ts';
import { silentLog } from '../lib/log.ts';
import { createMediaEngine } from './media-engine.ts';

const ports = await ownPorts();

const open = () => createMediaEngine({ address: '127.0.0.1', ports, log: silentLog });

describeMediaEngine('the built-in engine', open);
describeHostileMedia('the built-in engine', open);
