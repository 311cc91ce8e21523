// The built-in carrier: answers calls as their numbers say, for demos and tests; an ordinary SIP peer on its own port.
//
//   behaviours    which number ending does what
//   carrier       listens, tells what happens
//   carrier-call  one call
export { BEHAVIOURS, type Behaviour, type Treatment } from './behaviours.ts';
export { type Carrier, type CarrierEvent, type CarrierOptions, startCarrier } from './carrier.ts';
