import { CompileRefusal } from '../graph/compile-refusal.ts';

/** Says in one line why a SavedModel can't become one frozen graph with the same answers. */
export class FreezeRefusal extends CompileRefusal {}
