/** The node that a reference (`node`, `node:1`, `node:output:1`, `^node`) points to. */
export function toNodeName(reference: string): string {
  return reference.replace(/^\^/, '').replace(/:.*$/s, '');
}

/** One spelling of a reference to a tensor: `node` becomes `node:0`. */
export function toTensorKey(reference: string): string {
  return reference.includes(':') ? reference : `${reference}:0`;
}
