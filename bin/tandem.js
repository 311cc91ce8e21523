#!/usr/bin/env node
import './check-node.js';

const { run } = await import('../dist/main.js');
await run(process.argv);
