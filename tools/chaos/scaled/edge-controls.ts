export type EdgeControl = {
  without: string;
  /** Takes the guard out of the balancer's configuration. @throws Error when it is not there. */
  change: (config: string) => string;
};

type Edit = [line: RegExp, instead: string];

function edited(config: string, edits: Edit[]): string {
  let text = config;
  for (const [line, instead] of edits) {
    if (!line.test(text)) throw new Error(`haproxy.cfg has no line ${line}: adapt the control to it`);
    text = text.replace(line, instead);
  }
  return text;
}

/** What the balancer does for its callers, taken out: then they must see a replica die. */
export const EDGE_CONTROLS: Record<string, EdgeControl> = {
  'no-retries': {
    without: 'sending again what a dead replica has not answered',
    change: (config) =>
      edited(config, [
        [/^ +retries \d+\n/m, '    retries 0\n'],
        [/^ +option redispatch.*\n/m, ''],
        [/^ +retry-on .*\n/m, ''],
      ]),
  },
  'no-checks': {
    without: 'asking replicas whether they are ready',
    change: (config) =>
      edited(config, [
        [/^ +default-server check .*\n/m, '    default-server no-check\n'],
        [/^ +default-server observe .*\n/m, ''],
        // Who is never asked would be out for ever.
        [/ init-state down$/m, ''],
      ]),
  },
};
