/** The model can't be compiled faithfully, with the reason in one line; it is served in its original form. */
export class CompileRefusal extends Error {
  override readonly name = 'CompileRefusal';
}
