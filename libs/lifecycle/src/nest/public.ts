/**
 * The name of the metadata that a guard of the whole application reads: `true` on a controller or a route means that it needs no
 * token. Probes carry none.
 */
export const PUBLIC = 'cairn:public';
