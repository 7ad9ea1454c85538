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
export type Exception = { rule: string; objects: RegExp; why: string };

/** One thing that kube-score objects to. `object` is `Deployment/orders-serve`. */
export type Objection = { rule: string; object: string; says: string };

const FINE = 7;

export function objectionsIn(scored: Scored[]): Objection[] {
  return scored.flatMap(({ type_meta: { kind }, object_meta: { name }, checks }) =>
    (checks ?? [])
      .filter(({ skipped, grade }) => !skipped && grade < FINE)
      .flatMap(({ check, comments }) =>
        (comments ?? []).map(({ path, summary, description }) => ({
          rule: check.id,
          object: `${kind}/${name}`,
          says: [path && `(${path})`, summary, description && `— ${description}`].filter(Boolean).join(' '),
        })),
      ),
  );
}

/** What no exception explains, and the exceptions that explain nothing any more. */
export function unexplained(objections: Objection[], exceptions: Exception[]) {
  const explains = (exception: Exception, { rule, object }: Objection) =>
    exception.rule === rule && exception.objects.test(object);
  return {
    objections: objections.filter((one) => !exceptions.some((exception) => explains(exception, one))),
    idle: exceptions.filter((exception) => !objections.some((one) => explains(exception, one))),
  };
}
