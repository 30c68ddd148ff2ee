import { z } from 'zod';
import { configSchema } from './schema.ts';

/** One configuration option as users see it. */
export interface Option {
  /** `upload.maxBytes` */
  readonly path: string;
  /** `IMAGE_CHECK_UPLOAD_MAX_BYTES` */
  readonly variable: string;
  readonly description: string;
  readonly defaultValue: unknown;
  /** The allowed values as text: `1 … 1000`, `lazy | eager`. */
  readonly range: string;
  readonly isList: boolean;
  /** Whether its keys are chosen by users. */
  readonly isMapping: boolean;
}

interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Lists every option, in the schema's order. */
export function listOptions(): Option[] {
  return walk(z.toJSONSchema(configSchema, { io: 'output' }) as JsonSchema, []);
}

function walk(schema: JsonSchema, path: readonly string[]): Option[] {
  if (schema.properties) {
    return Object.entries(schema.properties).flatMap(([name, child]) => walk(child, [...path, name]));
  }
  const words = path.map((name) => name.replaceAll(/[A-Z]/g, '_$&').toUpperCase());
  return [
    {
      path: path.join('.'),
      variable: `IMAGE_CHECK_${words.join('_')}`,
      description: schema.description ?? '',
      defaultValue: schema.default,
      range: toRange(schema),
      isList: schema.type === 'array',
      isMapping: isMapping(schema),
    },
  ];
}

function isMapping({ additionalProperties }: JsonSchema): boolean {
  return typeof additionalProperties === 'object';
}

function toRange(schema: JsonSchema): string {
  if (schema.anyOf) return schema.anyOf.map(toRange).join(' | ');
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum.join(' | ');
  if (schema.items) return 'a list, comma-separated in a variable';
  if (isMapping(schema)) return 'a mapping, YAML or JSON in a variable';
  if (schema.minimum !== undefined) return `${String(schema.minimum)} … ${String(schema.maximum)}`;
  return schema.type === 'boolean' ? 'true | false' : 'text';
}
