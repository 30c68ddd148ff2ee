/** Says in one line why a model can't be compiled faithfully; it is served in another form. */
export class CompileRefusal extends Error {
  override readonly name = 'CompileRefusal';
}
