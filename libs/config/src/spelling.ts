/**
 * How many letters must be typed, left out, changed or swapped with their neighbour to come from one word to the other:
 * the distance of Damerau (1964), in the restricted form that edits no place twice.
 */
export function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** The word that was probably meant: the nearest, if no more than a fifth of its letters, and at most two, are wrong. */
export function closest(given: string, words: Iterable<string>): string | undefined {
  let best: { word: string; far: number } | undefined;
  for (const word of words) {
    // Lengths tell enough without looking at the letters, and keep a huge name from costing anything.
    if (Math.abs(word.length - given.length) > 2) continue;
    const far = distance(given, word);
    if (far <= Math.min(2, Math.max(1, Math.floor(word.length / 5))) && !(best && best.far <= far))
      best = { word, far };
  }
  return best?.word;
}
