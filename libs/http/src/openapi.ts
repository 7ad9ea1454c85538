import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';

export type OpenApiOptions = { title: string; description: string; version: string };

/** The OpenAPI 3.1 document of an application, made from the very schemas that validate its requests. */
export function openApiDocument(app: INestApplication, options: OpenApiOptions): OpenAPIObject {
  const base = new DocumentBuilder()
    .setTitle(options.title)
    .setDescription(options.description)
    .setVersion(options.version)
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
    .build();
  return SwaggerModule.createDocument(app, base, {
    // Draft 2020-12 is OpenAPI 3.1's own dialect; the default conversion targets 3.0.
    standardSchemaConverter: (schema, { schemaType }) => {
      if (!(schema instanceof z.ZodType)) return undefined;
      const { $schema: _, ...converted } = z.toJSONSchema(schema, {
        io: schemaType,
        target: 'draft-2020-12',
      });
      return { schema: converted };
    },
    operationIdFactory: (_, method) => method,
  });
}
