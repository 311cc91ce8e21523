// What of a document can run on this call, judged once it is known where its URLs lead and who hears it.
import { isFetchable, MAX_WARNINGS, type TwimlWarning } from './element-reader.ts';
import type { Place, Play, Verb } from './verbs.ts';

/**
 * Whose document it is. `screening`: a callee hears it before it is bridged. `transfer`: a party hears it, and is bridged
 * again as before where the document reaches nobody.
 */
export type Role = 'call' | 'screening' | 'transfer';

/**
 * Leaves out audio without a URL, a Dial in a screening, and a Dial that rings nobody and tells nobody, so that every
 * verb asks for something and the interpreter never searches.
 */
export function runnable(
  verbs: readonly Verb[],
  role: Role,
): { readonly verbs: readonly Verb[]; readonly warnings: readonly TwimlWarning[] } {
  const warnings: TwimlWarning[] = [];
  const warn = (code: number, message: string, { line, column }: Place): void => {
    if (warnings.length < MAX_WARNINGS) warnings.push({ code, message, line, column });
  };
  const hasUrl = (play: Play & Place): boolean => {
    if (isFetchable(play.url)) return true;
    warn(11100, '<Play> names no absolute http URL; it is skipped', play);
    return false;
  };
  const canRun = (verb: Verb): boolean => {
    if (verb.verb === 'Play') return hasUrl(verb);
    if (verb.verb !== 'Dial') return true;
    if (role !== 'screening') return verb.rules.targets.length > 0 || verb.action !== undefined;
    warn(13201, '<Dial> may not stand in a screening; it is skipped', verb);
    return false;
  };
  const playable = (verb: Verb): Verb =>
    verb.verb === 'Gather'
      ? { ...verb, prompts: verb.prompts.filter((prompt) => prompt.verb !== 'Play' || hasUrl(prompt)) }
      : verb;
  return { verbs: verbs.filter(canRun).map(playable), warnings };
}
