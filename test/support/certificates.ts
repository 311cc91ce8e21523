// Certificates for tests: made in a millisecond, trusted by whoever is given their `cert` as CA.
import { seededRandom } from '../../src/lib/random.ts';
import { type SelfSigned, selfSignedCertificate } from '../../src/lib/self-signed-certificate.ts';

export const certificateFor = (...names: readonly string[]): SelfSigned =>
  selfSignedCertificate({
    names,
    fromMs: Date.UTC(2020, 0, 1),
    toMs: Date.UTC(2100, 0, 1),
    random: seededRandom(names.join().length),
  });
