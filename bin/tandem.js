#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import './check-node.js';

// Loading makes much garbage once: without this the room for new objects grows to 32 MB and stays. A running exchange
// may let it grow (src/cli/serve.ts).
setFlagsFromString('--semi-space-growth-factor=1');
const { run } = await import('../dist/main.js');
await run(process.argv);
