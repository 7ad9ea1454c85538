import { describe, jest } from '@jest/globals';
import { FAULTS, leaves, type Library } from './copy-out/leaves.ts';

/**
 * `config`, `logging`, `telemetry`, `lifecycle` and `messaging` leave the house. Real: the build, npm, Node's resolution, the compiler,
 * publint and attw. What they depend on comes out of npm's cache, or from the registry where that lacks it.
 */
jest.setTimeout(240_000);

const LIBRARIES: Library[] = [
  {
    name: 'config',
    cjs: false,
    alone: ['', 'nest'],
    missing: {
      "import '@cairn/config/flags';": /Cannot find (package|module) '@openfeature\/server-sdk/,
    },
    nodeTypes: false,
    peers: ['@nestjs/common', '@nestjs/core', '@openfeature/server-sdk', 'reflect-metadata'],
    slip: {
      of: 'export const level',
      instead: 'export const port: string = config.POOL_MAX;\nexport const level',
      complaint: "Type 'number' is not assignable to type 'string'",
    },
    files: ['src/flags/index.ts', 'dist/flags/index.js', 'dist/nest/index.js'],
    planted: FAULTS,
  },
  {
    name: 'logging',
    cjs: false,
    alone: ['', 'nest'],
    missing: {
      "import { createLogger } from '@cairn/logging';\ncreateLogger({ service: 'shop', format: 'pretty' });":
        /format "pretty" needs the package pino-pretty/,
    },
    nodeTypes: true,
    peers: ['@nestjs/common', '@nestjs/core', 'fastify', 'pino-pretty', 'reflect-metadata'],
    slip: {
      of: "service: 'shop'",
      instead: 'service: 5',
      complaint: "Type 'number' is not assignable to type 'string'",
    },
    files: ['dist/nest/index.js'],
  },
  {
    name: 'telemetry',
    cjs: false,
    alone: [''],
    missing: {},
    nodeTypes: true,
    peers: ['fastify'],
    slip: {
      of: "unit: '{order}'",
      instead: 'unit: 5',
      complaint: "Type 'number' is not assignable to type 'string'",
    },
    files: [],
  },
  {
    name: 'lifecycle',
    cjs: false,
    alone: ['', 'testing'],
    missing: { "import '@cairn/lifecycle/nest';": /Cannot find (package|module) '@nestjs\// },
    nodeTypes: true,
    peers: [
      ...['@nestjs/common', '@nestjs/core', '@nestjs/platform-fastify', '@nestjs/terminus'],
      'reflect-metadata',
    ],
    slip: {
      of: 'timeoutMs: 50',
      instead: "timeoutMs: '50ms'",
      complaint: "Type 'string' is not assignable to type 'number'",
    },
    files: ['dist/nest/index.js', 'dist/testing/index.js'],
  },
  {
    name: 'messaging',
    cjs: false,
    alone: ['', 'asyncapi'],
    missing: { "import '@cairn/messaging/kafkajs';": /Cannot find (package|module) 'kafkajs/ },
    nodeTypes: true,
    peers: ['kafkajs'],
    slip: {
      of: 'maxAttempts: 3',
      instead: "maxAttempts: '3'",
      complaint: "Type 'string' is not assignable to type 'number'",
    },
    files: ['dist/asyncapi.js', 'dist/kafkajs/index.js'],
  },
];

describe.each(LIBRARIES)('$name', (library) => leaves(library));
