/** Which of the last `size` indices were seen. Indices are whole numbers below 2^53 and may begin anywhere. */
export class ReplayWindow {
  readonly #size: number
  readonly #seen: Uint32Array
  #highest = -1

  /** @param size A multiple of 32. */
  constructor(size: number) {
    this.#size = size
    this.#seen = new Uint32Array(size / 32)
  }

  /** -1 before the first index. */
  get highest(): number {
    return this.#highest
  }

  /** Whether the index is inside the window (or ahead of it) and was not seen. */
  isNew(index: number): boolean {
    if (index > this.#highest) return true
    return index > this.#highest - this.#size && (this.#word(index) & bit(index)) === 0
  }

  /** Marks an index as seen; one that is too old is ignored. */
  add(index: number): void {
    if (index <= this.#highest - this.#size) return
    if (index > this.#highest) this.#advance(index)
    const at = this.#at(index)
    this.#seen[at] = (this.#seen[at] ?? 0) | bit(index)
  }

  #advance(index: number): void {
    if (this.#highest < 0 || index - this.#highest >= this.#size) this.#seen.fill(0)
    else for (let i = this.#highest + 1; i <= index; i++) this.#forget(i)
    this.#highest = index
  }

  #forget(index: number): void {
    const at = this.#at(index)
    this.#seen[at] = (this.#seen[at] ?? 0) & ~bit(index)
  }

  #word(index: number): number {
    return this.#seen[this.#at(index)] ?? 0
  }

  #at(index: number): number {
    return (index % this.#size) >>> 5
  }
}

function bit(index: number): number {
  return 1 << (index % 32)
}
