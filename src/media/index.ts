// Media: RTP with G.711 (RFC 3550, RFC 3551), SRTP, keys, prompts, speech and recordings, behind the port in engine.ts.
// Knows no signalling.
//
//   engine            the port: what a leg sees
//   media-engine      the built-in engine: workers and families · engine-session · engine-recording · worker-link
//   media-worker      sockets, ports and the 20 ms beat · rtp-session · file-recording · session-sockets (worker thread)
//   rtp-session       one peer: incoming-stream (latch, reception) · outgoing-stream · rtcp-session · relay-clock
//   recordings        recorder (two track-buffers on one timeline) · wav-writer · wav-repair · wav-mono · mp3-encoder
//   speech            texts → samples: cache, queue, speech-worker (flite)
//   audio-files       files → samples: cache, queue, audio-worker (wav, aiff, sun-audio, mp3-decoder)
//   pure              rtp rtcp srtp srtcp srtp-keys telephone-event g711 tone ringback resample pacer port-pool …
export type * from './engine.ts';
export { MediaError } from './engine.ts';
export { createMediaEngine, type LocalMediaEngine } from './media-engine.ts';
export { encodeMp3 } from './mp3-encoder.ts';
export { withSunHeader } from './sun-audio.ts';
export { toneLevel } from './tone.ts';
export { type MonoWav, monoWav } from './wav-mono.ts';
export { type RepairedWav, repairWav } from './wav-repair.ts';
