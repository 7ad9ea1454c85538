export { Authority, type Issue } from './authority.ts';
export { IdentityFiles } from './identity-files.file.ts';
