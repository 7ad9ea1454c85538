/** One line of a panel: what is asked, and how a series of the answer is called, in Grafana's `{{label}}` form. */
export type Line = { expr: string; legend: string };
export type PanelOptions = {
  title: string;
  /** What a reader should see in it. */
  says: string;
  /** Of Grafana: `s`, `reqps`, `percentunit`, `short`, `bytes`. */
  unit: string;
  lines: Line[];
  kind?: 'timeseries' | 'stat' | 'state-timeline';
  /** From here on it is drawn as bad. */
  badFrom?: number;
};
export type Dashboard = { uid: string; title: string; description: string; panels: PanelOptions[] };

const WIDTH = 12;
const HEIGHT = 8;
const PROMETHEUS = { type: 'prometheus', uid: 'prometheus' };

/** The dashboard as Grafana reads it from a file: two panels a row, in the order given. */
export function grafanaJson({ uid, title, description, panels }: Dashboard) {
  return {
    uid,
    title,
    description,
    tags: ['cairn'],
    schemaVersion: 41,
    editable: false,
    graphTooltip: 1,
    refresh: '10s',
    time: { from: 'now-30m', to: 'now' },
    timezone: 'utc',
    templating: { list: [serviceVariable] },
    annotations: { list: [] },
    panels: panels.map(panelJson),
  };
}

const serviceVariable = {
  name: 'service',
  label: 'Service',
  type: 'query',
  datasource: PROMETHEUS,
  query: { query: 'label_values(target_info, service)', refId: 'service' },
  definition: 'label_values(target_info, service)',
  refresh: 2,
  sort: 1,
  multi: true,
  includeAll: true,
  allValue: '.*',
  current: { text: 'All', value: '$__all' },
};

function panelJson(panel: PanelOptions, i: number) {
  const { title, says, unit, lines, kind = 'timeseries', badFrom } = panel;
  return {
    id: i + 1,
    title,
    description: says,
    type: kind,
    datasource: PROMETHEUS,
    gridPos: { x: (i % 2) * WIDTH, y: Math.floor(i / 2) * HEIGHT, w: WIDTH, h: HEIGHT },
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        ...(kind === 'timeseries' && {
          custom: {
            fillOpacity: 10,
            showPoints: 'never',
            ...(badFrom !== undefined && { thresholdsStyle: { mode: 'line' } }),
          },
        }),
        thresholds: {
          mode: 'absolute',
          steps: [
            { color: 'green', value: null },
            ...(badFrom === undefined ? [] : [{ color: 'red', value: badFrom }]),
          ],
        },
      },
      overrides: [],
    },
    options: {
      ...(kind === 'timeseries' && {
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
        tooltip: { mode: 'multi', sort: 'desc' },
      }),
      ...(kind === 'stat' && { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'background' }),
    },
    targets: lines.map(({ expr, legend }, line) => ({
      refId: String.fromCharCode(65 + line),
      datasource: PROMETHEUS,
      expr,
      legendFormat: legend,
      range: true,
    })),
  };
}
