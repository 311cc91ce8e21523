// Imported for what it does, and before the calls begin: by whatever serves thousands of them.
import { setFlagsFromString } from 'node:v8';

// While the room for new objects is still small, all that a call makes seems to last. V8 then puts what some places make
// among the old objects from the start, where the dead ones are found last, and until then keep all that they refer to:
// three times what lasts in truth, for the collector to move about. Whether it comes to that is chance, and lasts for
// minutes. So it is not let guess.
setFlagsFromString('--no-allocation-site-pretenuring');
