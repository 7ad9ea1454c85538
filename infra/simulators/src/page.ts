import { faultsSchema } from './faults.ts';
import type { Faults } from './faults.ts';
import type { Ledger } from './ledger.ts';
import type { TraceSummary } from './trace.ts';

/** The gateway's page: the faults with a field each, presets, and the ledger, which refreshes by itself. */
export function gatewayPage(faults: Faults, ledger: Ledger): string {
  const fields = Object.keys(faultsSchema.shape) as (keyof Faults)[];
  return layout(
    'Payment gateway simulator',
    `<p>A third party that misbehaves on request. The test cards are in <code>infra/simulators/README.md</code>.</p>
<h2>Faults</h2>
<form id="faults">
${fields.map((field) => faultField(field, faults[field])).join('\n')}
<p><button>Apply</button>
<button type="button" data-preset='{"latencyMs":3000}'>Slow</button>
<button type="button" data-preset='{"errorRate":1}'>Outage</button>
<button type="button" data-preset='{"hangRate":1}'>Hang</button>
<button type="button" data-preset='{"hangAfterCaptureRate":1}'>Capture, then hang</button>
<button type="button" data-preset='{"declineRate":1}'>Decline</button>
<button type="button" data-preset="{}">Reset</button>
<output id="said" role="status"></output></p>
</form>
<h2>Ledger</h2>
<pre id="ledger">${escape(JSON.stringify(ledger, null, 2))}</pre>
<script>
const form = document.querySelector('#faults');
const said = document.querySelector('#said');
async function change(method, body) {
  const headers = body ? { 'content-type': 'application/json' } : {};
  const answer = await fetch('/admin/faults', { method, headers, body: body && JSON.stringify(body) });
  const content = await answer.json();
  if (answer.ok) for (const [name, value] of Object.entries(content)) form.elements[name].value = value;
  said.textContent = answer.ok ? 'In force.' : content.detail;
}
form.addEventListener('submit', (event) => {
  event.preventDefault();
  change('PUT', Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, Number(value)])));
});
for (const button of form.querySelectorAll('[data-preset]')) {
  button.addEventListener('click', async () => {
    await change('DELETE');
    const preset = JSON.parse(button.dataset.preset);
    if (Object.keys(preset).length > 0) await change('PATCH', preset);
  });
}
setInterval(async () => {
  const answer = await fetch('/admin/ledger').catch(() => undefined);
  const text = answer?.ok ? JSON.stringify(await answer.json(), null, 2) : 'The simulator does not answer.';
  document.querySelector('#ledger').textContent = text;
}, 2000);
</script>`,
  );
}

export function issuerPage(issuerUrl: string, warning: string): string {
  return layout(
    'Development token issuer',
    `<p class="warning" role="alert">${escape(warning)}.</p>
<p>Issuer: <code>${escape(issuerUrl)}</code></p>
<form id="token">
<label>Subject (customer) <input name="sub" value="ada" required></label>
<label>Lifetime, seconds <input name="ttl" type="number" min="1" max="86400" value="3600" required></label>
<p><button>Get a token</button></p>
</form>
<pre id="answer" aria-live="polite"></pre>
<ul><li><a href="/.well-known/openid-configuration">Discovery</a></li>
<li><a href="/.well-known/jwks.json">Keys</a></li></ul>
<script>
document.querySelector('#token').addEventListener('submit', async (event) => {
  event.preventDefault();
  const answer = await fetch('/token', { method: 'POST', body: new URLSearchParams(new FormData(event.target)) });
  const content = await answer.json();
  document.querySelector('#answer').textContent = content.access_token ?? content.detail;
});
</script>`,
  );
}

/** The latest traces, each with a link to its spans. */
export function tracesPage(
  traces: TraceSummary[],
  { spans, forgotten }: { spans: number; forgotten: number },
) {
  const row = ({ traceId, service, name, services, spans, errors, startedAt, durationMs }: TraceSummary) =>
    `<tr><td>${startedAt}</td><td><a href="/traces/${traceId}">${escape(`${service}: ${name}`)}</a></td>
<td>${services.length}</td><td>${spans}</td><td>${errors}</td><td>${durationMs.toFixed(1)} ms</td></tr>`;
  return layout(
    'Traces',
    `<p>The last traces of this machine, in memory: for development, not a tracing backend. As a tree:
<code>npm run demo -- --trace</code></p>
<p>${spans} spans; ${forgotten} older ones were forgotten.</p>
<table><thead><tr><th>start</th><th>trace</th><th>services</th><th>spans</th><th>errors</th><th>time</th></tr></thead>
<tbody>${traces.map(row).join('\n')}</tbody></table>`,
  );
}

function faultField(field: keyof Faults, value: number): string {
  const range = field.endsWith('Ms') ? 'max="600000" step="1"' : 'max="1" step="any"';
  return `<label>${field} <input name="${field}" type="number" min="0" ${range} value="${value}" required></label>`;
}

function layout(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title} · Cairn</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
label { display: flex; justify-content: space-between; gap: 1rem; margin: .25rem 0; }
input { width: 9rem; font: inherit; } button { font: inherit; margin: .25rem .25rem 0 0; }
pre { padding: 1rem; border: 1px solid; border-radius: .5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
table { border-collapse: collapse; font-size: .875rem; } td, th { padding: .25rem .5rem; text-align: left; }
.warning { padding: 1rem; border: 3px solid #c00; font-weight: bold; }
</style></head><body><h1>${title}</h1>
${body}
</body></html>
`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
