/** What the environment says, as far as it makes sense. */
export type Settings = {
  disabled: boolean;
  /** Base URL of an OTLP/HTTP endpoint, without `/v1/traces`. */
  endpoint?: string;
  /** Share of traces that are sampled where no caller has decided: 0 to 1. */
  share: number;
  environment?: string;
};

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
export function settingsOf(env: NodeJS.ProcessEnv): Settings {
  const endpoint = httpUrl(env['OTEL_EXPORTER_OTLP_ENDPOINT']);
  const environment = env['DEPLOYMENT_ENVIRONMENT'];
  return {
    disabled: env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true',
    share: shareOf(env['OTEL_TRACES_SAMPLER_ARG']),
    ...(endpoint && { endpoint }),
    ...(environment && { environment }),
  };
}

function httpUrl(text = ''): string | undefined {
  const url = URL.parse(text);
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return undefined;
  return url.href.replace(/\/+$/, '');
}

function shareOf(text = ''): number {
  const share = Number(text);
  return text.trim() !== '' && share >= 0 && share <= 1 ? share : 1;
}
