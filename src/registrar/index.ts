// The registrar (RFC 3261 §10): which devices a user is reached at.
//
//   register-request  REGISTER, read         register  bindings and request → bindings; pure
//   binding, bindings every AOR's, in memory binding-writer  to the database, in groups
//   keep-alive        OPTIONS to devices behind NAT
//   shared-bindings   what the database says of them, other exchanges' included, into memory
//   registrar         the shell: REGISTER in, 200 or refusal out; expiry
export type { Contacts } from './binding.ts';
export { Registrar, type RegistrarParts } from './registrar.ts';
