/** @throws RangeError when two of them have the same name */
export function checkNames(pipelines: readonly { readonly name: string }[]): void {
  const names = pipelines.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new RangeError(`pipelines must have different names, got "${twice}" twice`);
}
