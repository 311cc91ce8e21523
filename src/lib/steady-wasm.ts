// Imported for what it does, and before whatever runs WebAssembly: speech, MP3, and undici's HTTP parser.
import { setFlagsFromString } from 'node:v8';

// For a function that WebAssembly calls 1000 times, V8 compiles a wrapper of its own. Node 24 keeps those of all threads
// in one place and frees them there, and now and then the whole process dies of it, by SIGSEGV or by "Check failed:
// jit_page.has_value()" (nodejs/node issue 64500). So no function is called often enough: the common wrapper does.
// `soak/wasm-threads.ts` shows both.
setFlagsFromString(`--wasm-wrapper-tiering-budget=${2 ** 31 - 1}`);
