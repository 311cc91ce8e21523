// Media: RTP with G.711 (RFC 3550, RFC 3551), prompts and speech, behind the port in engine.ts. Knows no signalling.
//
//   engine            the port: what a leg sees
//   media-engine      the built-in engine: workers and families · engine-session · worker-link (main thread)
//   media-worker      sockets, ports and the 20 ms beat · rtp-session · worker-messages (worker thread)
//   speech            texts → samples: cache, queue, speech-worker (flite)
//   pure              rtp g711 tone latch pacer port-pool prompt-source sample-queue resample wav
export type * from './engine.ts';
export { MediaError } from './engine.ts';
export { createMediaEngine, type LocalMediaEngine } from './media-engine.ts';
export { toneLevel } from './tone.ts';
