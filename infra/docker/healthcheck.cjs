/**
 * node healthcheck.cjs VARIABLE:PORT/PATH …     what the images' HEALTHCHECK runs; exits 0 when each of them answers 200.
 *
 * The port is asked for where the process looks for it: in VARIABLE, else in the file that VARIABLE_FILE names, else it is PORT.
 * CommonJS, because it starts in half the processor time of a module, and it starts every 5 s. There is no curl in the images.
 */
/* eslint-disable @typescript-eslint/no-require-imports */
const { readFileSync } = require('node:fs');
const { get } = require('node:http');

const { env } = process;
const everywhere = ['', '0.0.0.0', '::'];
const host = everywhere.includes(valueOf('HOST')) ? 'localhost' : valueOf('HOST');

process.exitCode = 1; // until the last one has answered
let missing = process.argv.length - 2;
for (const target of process.argv.slice(2)) {
  const [, variable, port, path] = /^(\w+):(\d+)(\/.*)$/.exec(target);
  // Nobody is to wait for keep-alive: the process ends with the last answer.
  get({ host, port: valueOf(variable) || port, path, agent: false }, ({ statusCode }) => {
    if (statusCode !== 200) fail(`${target} answers ${statusCode}`);
    if (--missing === 0) process.exit(0);
  }).on('error', ({ code, message }) => fail(`${target}: ${code ?? message}`));
}

function valueOf(variable) {
  const file = env[`${variable}_FILE`];
  return env[variable] || (file ? readFileSync(file, 'utf8').trim() : '');
}

function fail(why) {
  console.error(why); // `docker inspect` keeps it
  process.exit(1);
}
