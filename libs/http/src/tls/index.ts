export { certificateMistakes, type CertificateMistake, type Pems } from './certificates.ts';
export { CertificateError, Identity, type IdentityOptions, type IdentityPaths } from './identity.file.ts';
export { mutualFetch } from './mutual.client.ts';
export type { MutualTlsOptions, Refusal } from './mutual.server.ts';
