/** What kube-score says about an object, as far as it is read. */
export type Scored = {
  type_meta: { kind: string };
  object_meta: { name: string };
  checks:
    | {
        check: { id: string };
        /** 10 is fine, 7 almost, 5 a warning, 1 critical. */
        grade: number;
        skipped: boolean;
        comments: { path: string; summary: string; description: string }[] | null;
      }[]
    | null;
};

/** A rule of kube-score that does not hold for some objects, and why that is right. */
export type Exception = {
  rule: string;
  objects: RegExp;
  /** Default: all of them. */
  overlays?: RegExp;
  why: string;
};

/** One thing that kube-score objects to. `object` is `Deployment/orders-serve`. */
export type Objection = { rule: string; object: string; overlay: string; says: string };

const FINE = 7;

export function objectionsIn(overlay: string, scored: Scored[]): Objection[] {
  return scored.flatMap(({ type_meta: { kind }, object_meta: { name }, checks }) =>
    (checks ?? [])
      .filter(({ skipped, grade }) => !skipped && grade < FINE)
      .flatMap(({ check, comments }) =>
        (comments ?? []).map(({ path, summary, description }) => ({
          rule: check.id,
          object: `${kind}/${name}`,
          overlay,
          says: [path && `(${path})`, summary, description && `— ${description}`].filter(Boolean).join(' '),
        })),
      ),
  );
}

/** What no exception explains, told once for all overlays, and the exceptions that explain nothing any more. */
export function unexplained(objections: Objection[], exceptions: Exception[]): string[] {
  const explains = ({ rule, objects, overlays = /^/ }: Exception, one: Objection) =>
    rule === one.rule && objects.test(one.object) && overlays.test(one.overlay);
  const left = objections.filter((one) => !exceptions.some((exception) => explains(exception, one)));
  const idle = exceptions.filter((exception) => !objections.some((one) => explains(exception, one)));
  const told = Map.groupBy(left, ({ rule, object, says }) => `${object}: ${rule}: ${says}`);
  return [
    ...[...told].map(
      ([says, all]) => `${says} (${[...new Set(all.map(({ overlay }) => overlay))].join(', ')})`,
    ),
    ...idle.map(
      ({ rule, objects }) => `the exception to ${rule} for ${objects} explains nothing: take it out`,
    ),
  ];
}
