/** Schemas of the control protocol as Markdown: a table of fields each, types by the names they are given. */
import * as v from 'valibot';

interface Step {
  readonly kind: string;
  readonly type: string;
  readonly requirement?: unknown;
}

interface Parts {
  readonly type: string;
  readonly pipe?: readonly Step[];
  readonly entries?: Readonly<Record<string, v.GenericSchema>>;
  readonly item?: v.GenericSchema;
  readonly wrapped?: v.GenericSchema;
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
  readonly default?: unknown;
}

const parts = (schema: v.GenericSchema): Parts => schema;

/** A type that is described in a place of its own. */
export interface NamedType {
  readonly name: string;
  readonly schema: v.GenericSchema;
  /** Where a link leads. */
  readonly place: string;
}

export class SchemaTables {
  readonly #types: Map<v.GenericSchema, NamedType>;

  constructor(types: readonly NamedType[]) {
    this.#types = new Map(types.map((type) => [type.schema, type]));
  }

  /** A table of the fields of an object; empty for one without any. */
  fields(schema: v.GenericSchema, without: readonly string[] = []): string {
    const rows = Object.entries(parts(schema).entries ?? {}).filter(([name]) => !without.includes(name));
    if (rows.length === 0) return '';
    const lines = rows.map(([name, field]) => {
      return `| \`${name}\` | ${this.type(field)} | ${this.#meaning(field)} |`;
    });
    return ['| field | type | meaning |', '| --- | --- | --- |', ...lines].join('\n');
  }

  /** A type in words. */
  type(schema: v.GenericSchema): string {
    const named = this.#types.get(schema);
    if (named !== undefined) return `[${named.name}](${named.place})`;
    const { type, item, wrapped, options = [], literal } = parts(schema);
    switch (type) {
      case 'array':
        return `list of ${item === undefined ? 'values' : this.type(item)}`;
      case 'nullable':
        return wrapped === undefined ? 'null' : `${this.type(wrapped)} or null`;
      case 'optional':
        return wrapped === undefined ? 'anything' : `${this.type(wrapped)}, may be left out`;
      case 'picklist':
        return options.map((option) => `\`${String(option)}\``).join(', ');
      case 'literal':
        return `\`${JSON.stringify(literal)}\``;
      case 'null':
        return 'null';
      case 'record':
        return 'numbers by name';
      case 'union':
        return options.map((option) => this.type(option as v.GenericSchema)).join(' or ');
      case 'number':
        return stepsOf(schema).some((step) => step.type === 'integer') ? 'integer' : 'number';
      case 'strict_object':
      case 'loose_object':
        return 'object';
      default:
        return type;
    }
  }

  #meaning(field: v.GenericSchema): string {
    return [v.getDescription(field), ...limits(field)].filter((text) => text !== undefined).join('; ');
  }
}

/** The steps of a schema's pipe, and of the pipe that it begins with. */
function stepsOf(schema: v.GenericSchema): readonly Step[] {
  return (parts(schema).pipe ?? []).flatMap((step) => {
    return step.kind === 'schema' && step !== (schema as unknown)
      ? stepsOf(step as unknown as v.GenericSchema)
      : [step];
  });
}

/** What else the pipe of a schema demands, in words. */
function limits(schema: v.GenericSchema): string[] {
  const { wrapped, type } = parts(schema);
  const pipe = stepsOf(schema);
  if ((type === 'nullable' || type === 'optional') && wrapped !== undefined) return limits(wrapped);
  const requirement = (name: string): string | undefined => {
    const found = pipe.find((step) => step.type === name)?.requirement;
    return typeof found === 'number' || typeof found === 'string' ? String(found) : undefined;
  };
  const [min, max, bytes, prefix] = ['min_value', 'max_value', 'max_bytes', 'starts_with'].map(requirement);
  return [
    ...(min !== undefined && max !== undefined ? [`${min} to ${max}`] : []),
    ...(min !== undefined && max === undefined && min !== '0' ? [`${min} or more`] : []),
    ...(bytes === undefined ? [] : [`${bytes} bytes at most`]),
    ...(prefix === undefined ? [] : [`begins with \`${prefix}\``]),
  ];
}
