export type Due = { at: number; order: number; run: () => void };

/** What is due, earliest first; of two at the same time, the one that was added first. A binary heap. */
export class EventQueue {
  readonly #heap: Due[] = [];
  #added = 0;

  add(at: number, run: () => void): Due {
    const due = { at, order: this.#added++, run };
    let place = this.#heap.length;
    for (
      let above: number;
      place > 0 && before(due, this.#heap[(above = (place - 1) >> 1)]!);
      place = above
    ) {
      this.#heap[place] = this.#heap[above]!;
    }
    this.#heap[place] = due;
    return due;
  }

  next(): Due | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (!first || !last || first === last) return first;
    let place = 0;
    for (let below = 1; below < this.#heap.length; below = 2 * place + 1) {
      const other = below + 1;
      if (other < this.#heap.length && before(this.#heap[other]!, this.#heap[below]!)) below = other;
      if (!before(this.#heap[below]!, last)) break;
      this.#heap[place] = this.#heap[below]!;
      place = below;
    }
    this.#heap[place] = last;
    return first;
  }
}

const before = (a: Due, b: Due) => a.at < b.at || (a.at === b.at && a.order < b.order);
