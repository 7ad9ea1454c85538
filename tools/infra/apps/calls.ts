import type { App } from './app.ts';

/** The apps that a value leads to, and the ports that it names; 80 and 443 are what a URL means that names none. */
export function callsOf(value: string, apps: App[]): { app: App; port: number }[] {
  return apps.flatMap((app) => {
    const url = new RegExp(`\\b(https?)://${app.name}(?:\\.[\\w.-]+)?(?::(\\d+))?(?=[/?]|$)`).exec(value);
    return url ? [{ app, port: Number(url[2] ?? (url[1] === 'https' ? 443 : 80)) }] : [];
  });
}
