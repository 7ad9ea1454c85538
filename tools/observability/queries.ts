/** Of the services that are chosen on the page. */
export const OF = '{service=~"$service"}';
export const http = 'http_server_request_duration_seconds';
export const handling = 'messaging_process_duration_seconds';
/** A quantile of a histogram, from all replicas together. */
export const quantile = (q: number, metric: string, by: string, matchers = OF) =>
  `histogram_quantile(${q}, sum by (${by}, le) (rate(${metric}_bucket${matchers}[$__rate_interval])))`;
/** How often per second. */
export const rate = (metric: string, by: string, matchers = OF) =>
  `sum by (${by}) (rate(${metric}${matchers}[$__rate_interval]))`;
