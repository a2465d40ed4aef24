import fc from 'fast-check';

export type Schema = Record<string, unknown>;
/** Values that make sense under a name, whatever its schema says: ids of rows that exist, sets that run. */
export type KnownValues = Record<string, readonly unknown[]>;

const MAX_DEPTH = 6;
const MAX_OPTIONAL = 3;
const FORMATS: Record<string, fc.Arbitrary<unknown>> = {
  uuid: fc.uuid(),
  uri: fc.webUrl(),
  date: fc.constantFrom('2027-01-31', '2020-02-29'),
  'date-time': fc.constantFrom('2027-01-31T12:00:00Z', '2020-01-01T00:00:00+02:00'),
};

/** Values that a schema of our OpenAPI allows, as far as it says so: what a careful client would send. */
export class SchemaValues {
  constructor(
    private readonly schemas: Record<string, Schema>,
    private readonly known: KnownValues,
  ) {}

  of(schema: Schema, name = '', depth = 0): fc.Arbitrary<unknown> {
    const known = this.known[name];
    if (known) return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: this.bySchema(schema, depth) });
    return this.bySchema(schema, depth);
  }

  private bySchema(schema: Schema, depth: number): fc.Arbitrary<unknown> {
    const target = this.dereferenced(schema);
    const { enum: choices, const: only, anyOf, oneOf, allOf } = target as Record<string, unknown[] | undefined>;
    if (choices) return fc.constantFrom(...choices);
    if (only !== undefined) return fc.constant(only);
    const either = anyOf ?? oneOf;
    if (either) return fc.oneof(...either.map((each) => this.bySchema(each as Schema, depth)));
    if (allOf) return this.bySchema(Object.assign({}, ...(allOf as Schema[]).map((each) => this.dereferenced(each))), depth);
    const types = [target['type'] ?? 'any'].flat() as string[];
    return fc.oneof(...types.map((type) => this.ofType(type, target, depth)));
  }

  private ofType(type: string, schema: Schema, depth: number): fc.Arbitrary<unknown> {
    switch (type) {
      case 'null':
        return fc.constant(null);
      case 'boolean':
        return fc.boolean();
      case 'integer':
        return fc.integer(rangeOf(schema));
      case 'number':
        return fc.oneof(fc.integer(rangeOf(schema)), fc.double({ ...rangeOf(schema), noNaN: true, noDefaultInfinity: true }));
      case 'string':
        return textOf(schema);
      case 'array':
        return this.list(schema, depth);
      case 'object':
        return this.record(schema, depth);
      default:
        return fc.jsonValue({ maxDepth: 2 });
    }
  }

  private list({ items = {}, minItems = 0, maxItems = 3 }: Schema, depth: number): fc.Arbitrary<unknown> {
    if (depth >= MAX_DEPTH) return fc.constant([]);
    const [minLength, most] = [Number(minItems), Number(maxItems)];
    return fc.array(this.bySchema(items as Schema, depth + 1), { minLength, maxLength: Math.max(minLength, Math.min(most, 3)) });
  }

  private record({ properties, required = [], additionalProperties }: Schema, depth: number): fc.Arbitrary<unknown> {
    if (depth >= MAX_DEPTH) return fc.constant({});
    if (!properties) {
      const open = typeof additionalProperties === 'object' ? (additionalProperties as Schema) : {};
      return fc.dictionary(fc.string({ maxLength: 10 }), this.bySchema(open, depth + 1), { maxKeys: 3 });
    }
    const fields = Object.entries(properties as Record<string, Schema>);
    const needed = new Set(required as string[]);
    const optional = fields.filter(([name]) => !needed.has(name));
    // Few at once: each is one more that may not go with the rest, and then nothing of the request is tried.
    return fc.subarray(optional, { maxLength: Math.min(MAX_OPTIONAL, optional.length) }).chain((chosen) => {
      const kept = [...fields.filter(([name]) => needed.has(name)), ...chosen];
      return fc.record(Object.fromEntries(kept.map(([name, field]) => [name, this.of(field, name, depth + 1)])));
    });
  }

  private dereferenced(schema: Schema): Schema {
    const { $ref: reference, ...beside } = schema;
    if (typeof reference !== 'string') return schema;
    return { ...this.schemas[reference.split('/').at(-1) as string], ...beside };
  }
}

const rangeOf = ({ minimum = -1_000, maximum = 1_000 }: Schema) => ({
  min: Math.ceil(Number(minimum)), max: Math.floor(Math.max(Number(minimum), Number(maximum))),
});

function textOf({ format, pattern, minLength = 0, maxLength = 40 }: Schema): fc.Arbitrary<unknown> {
  const byFormat = FORMATS[String(format)];
  if (byFormat) return byFormat;
  const [shortest, longest] = [Number(minLength), Math.min(Number(maxLength), 60)];
  const plain = fc.string({ minLength: shortest, maxLength: Math.max(shortest, longest), unit: 'grapheme' });
  return typeof pattern === 'string' ? fc.oneof(plain, matching(pattern)) : plain;
}

/** fast-check does not know all that an expression may say. */
function matching(pattern: string): fc.Arbitrary<string> {
  try {
    return fc.stringMatching(new RegExp(pattern));
  } catch {
    return fc.string();
  }
}
