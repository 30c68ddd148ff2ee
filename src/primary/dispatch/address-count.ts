/** Counts the open connections of each client address. */
export class AddressCount {
  readonly #counts = new Map<string, number>();

  get(address: string): number {
    return this.#counts.get(address) ?? 0;
  }

  add(address: string | undefined): void {
    if (address !== undefined) this.#counts.set(address, this.get(address) + 1);
  }

  remove(address: string | undefined): void {
    if (address === undefined) return;
    const left = this.get(address) - 1;
    if (left > 0) this.#counts.set(address, left);
    else this.#counts.delete(address);
  }
}
