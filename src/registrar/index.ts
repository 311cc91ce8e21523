// The registrar (RFC 3261 §10): which devices a user is reached at.
//
//   register-request  REGISTER, read         register  bindings and request → bindings; pure
//   binding, bindings every AOR's, in memory binding-writer  to the database, in groups
//   keep-alive        OPTIONS to devices behind NAT
//   registrar         the shell: REGISTER in, 200 or refusal out; expiry
export type { Binding } from './binding.ts';
export { Registrar, type RegistrarParts } from './registrar.ts';
