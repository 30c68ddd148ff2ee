import { CompileRefusal } from '../graph/compile-refusal.ts';

/** The SavedModel can't become an equivalent frozen graph, with the reason in one line. */
export class FreezeRefusal extends CompileRefusal {}
