import { buildText, docker, type DockerOptions } from './docker.client.ts';
import type { Rule } from './scan-rules.ts';
import { scanImage, type ScanOptions } from './scan.ts';

/** What is planted into a derived image, one layer each, and what the scan has to call it. */
export const PLANTED: { does: string; line: string; rule: Rule; where: RegExp }[] = [
  {
    does: 'an env file, which a later layer removes',
    line: `RUN printf 'A=1' > /app/.env\nRUN rm /app/.env`,
    rule: 'env file',
    where: /: app\/\.env$/,
  },
  {
    does: 'a private key in a file of any name',
    line: `RUN printf -- '-----BEGIN PRIVATE KEY-----\\n%064d\\n' 7 > /app/notes.txt`,
    rule: 'secret',
    where: /: app\/notes\.txt$/,
  },
  {
    does: 'the database of a deployment in the code',
    line: `RUN printf 'const url = "postgres://orders:word@db.internal:5432/orders";' > /app/url.js`,
    rule: 'host',
    where: /: app\/url\.js$/,
  },
  {
    does: 'a variable of the environment as ENV',
    line: 'ENV KAFKA_BROKERS=kafka-1.internal:9092',
    rule: 'env file',
    where: /^config$/,
  },
  {
    does: 'a token as a build argument',
    line: `ARG TOKEN=ghp_${'a1B2'.repeat(9)}\nRUN true`,
    rule: 'secret',
    where: /^config$/,
  },
  {
    does: 'a program for one processor',
    line: 'RUN cp /bin/true /app/tool',
    rule: 'machine code',
    where: /: app\/tool$/,
  },
];

/** Plants all of them into an image on top of `image`; gives those that the scan does not find. */
export async function missedPlants(image: string, options: ScanOptions & DockerOptions): Promise<string[]> {
  const dockerfile = [`FROM ${image}`, 'USER 0', ...PLANTED.map(({ line }) => line)].join('\n');
  const tag = `cairn-images-planted:${process.pid}`;
  await buildText(tag, dockerfile, options);
  try {
    const { finds } = await scanImage(tag, options);
    const isFound = ({ rule, where }: (typeof PLANTED)[number]) =>
      finds.some((find) => find.rule === rule && where.test(find.where));
    return PLANTED.filter((planted) => !isFound(planted)).map(({ does }) => does);
  } finally {
    await docker(['image', 'rm', '--force', tag]);
  }
}
