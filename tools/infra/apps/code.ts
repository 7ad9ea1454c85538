/** What is read out of the code of the apps and libs, as it is written there. */

/** The commands of a main.ts: the keys of what `runCommand` is given. */
export function commandsIn(main: string): string[] {
  const [, table = ''] = main.split(/^await runCommand\(/m);
  return [...table.matchAll(/^ {2}'?([\w:-]+)'?: \{/gm)].map(([, name = '']) => name);
}

/** Paths by the server that answers them: routes of Fastify, and keys of what the management port is given. */
export function pathsIn(code: string): { http: string[]; management: string[] } {
  const all = (pattern: RegExp) => [...new Set([...code.matchAll(pattern)].map(([, path = '']) => path))];
  return {
    http: all(/server\.get\('(\/[\w/-]+)'/g),
    management: [...all(/^ *'(\/[\w/-]+)': /gm), ...all(/path === '(\/[\w/-]+)'/g)],
  };
}

type AsyncApi = {
  channels?: Record<string, { address: string }>;
  operations?: Record<
    string,
    { action: string; channel: { $ref: string }; bindings?: { kafka?: { groupId?: { const?: string } } } }
  >;
};

/** What an app receives, from which topic and as which group of consumers. */
export function subscriptionsIn({
  channels = {},
  operations = {},
}: AsyncApi): { topic: string; group: string }[] {
  return Object.values(operations)
    .filter(({ action }) => action === 'receive')
    .map(({ channel, bindings }) => ({
      topic: channels[channel.$ref.split('/').at(-1) ?? '']?.address ?? '',
      group: bindings?.kafka?.groupId?.const ?? '',
    }));
}
