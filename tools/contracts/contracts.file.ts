import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repoRoot } from '../stack/paths.ts';
import type { Schema } from './compare.ts';

const folder = join(repoRoot, 'contracts');

export type Example = { type: string; file: string; event: Record<string, unknown> };

/** One way of one event type through one service, as its AsyncAPI document tells. */
export type Flow = {
  service: string;
  action: 'send' | 'receive';
  type: string;
  topic: string;
  payload: Schema;
};

type Document = {
  channels: Record<string, { address: string }>;
  operations: Record<string, { action: Flow['action']; channel: { $ref: string } }>;
  components: { messages: Record<string, { name: string; payload: Schema }> };
};

export const documents = (): { service: string; document: Document }[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.asyncapi.json'))
    .map((file) => ({ service: file.split('.')[0]!, document: json<Document>(join(folder, file)) }));

export const flows = (): Flow[] =>
  documents().flatMap(({ service, document }) =>
    Object.entries(document.operations).map(([id, { action, channel }]) => {
      const { name, payload } = document.components.messages[id]!;
      return { service, action, type: name, topic: channel.$ref.split('/').at(-1)!, payload };
    }),
  );

/** The example of each event as it is sent today. */
export const examples = (): Example[] => examplesIn(join(folder, 'events'));

/** Examples of the same versions as they were sent before: they may still be in a topic, or in somebody's dead letters. */
export const olderExamples = (): Example[] =>
  readdirSync(join(folder, 'older')).flatMap((when) => examplesIn(join(folder, 'older', when)));

function examplesIn(from: string): Example[] {
  if (!existsSync(from)) return [];
  return readdirSync(from).map((file) => ({
    type: file.replace(/\.json$/, ''),
    file: join(from, file),
    event: json<Record<string, unknown>>(join(from, file)),
  }));
}

const json = <T>(file: string) => JSON.parse(readFileSync(file, 'utf8')) as T;

/** The family and number of a type: `order.paid.v2` is number 2 of `order.paid`. */
export function versionOf(type: string): { family: string; version: number } {
  const [, family, version] = /^(.+)\.v(\d+)$/.exec(type) ?? [];
  if (!family) throw new Error(`the type ${type} does not end in a version, like order.paid.v1`);
  return { family, version: Number(version) };
}

/** Readers of a version that leave out an older one of which there are examples: its events may still come. */
export function unreadVersions(reading: Flow[], known: string[]): string[] {
  return reading.flatMap(({ service, type }) => {
    const { family, version } = versionOf(type);
    return known
      .filter((each) => versionOf(each).family === family && versionOf(each).version < version)
      .filter((each) => !reading.some((flow) => flow.service === service && flow.type === each))
      .map((each) => `${service} reads ${type} and not ${each}`);
  });
}
