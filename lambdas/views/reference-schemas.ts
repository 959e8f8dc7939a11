/** The parts of the reference page that show a schema: its fields as rows of a table. */

/** A JSON schema, as far as the page shows it. */
export interface SchemaNode {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly format?: string;
  readonly pattern?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly 'x-extensible-enum'?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
}

/** A field of a schema, with the names of those around it. */
interface Field {
  readonly name: string;
  readonly schema: SchemaNode;
  readonly isRequired: boolean;
}

/** Returns text for HTML. What stands between backticks is code. */
export function html(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text
    .replace(/[&<>"]/g, (character) => entities[character] ?? character)
    .replace(/`([^`]+)`/g, '<code>$1</code>');
}

/** Returns a table. The cells are HTML. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]) => row.map((cell) => `<${tag}>${cell}`).join('');
  const body = rows.map((row) => `<tr>${cells('td', row)}`).join('\n');
  return `<div class=wide><table><thead><tr>${cells('th scope=col', heads)}<tbody>\n${body}</table></div>`;
}

/** Returns a link to the schema that a reference names; otherwise the kind of the value. */
export function kindOf(schema: SchemaNode): string {
  const { $ref, type, items, oneOf, anyOf } = schema;
  if ($ref !== undefined) {
    const name = $ref.split('/').at(-1) ?? '';
    return `<a href="#${html(name)}">${html(name)}</a>`;
  }
  const alternatives = oneOf ?? anyOf;
  if (alternatives !== undefined) return alternatives.map(kindOf).join(' or ');
  if (items !== undefined) return `list of ${kindOf(items)}`;
  return [type ?? 'any'].flat().map(html).join(' or ');
}

/** Returns the table of a schema's fields, those of objects inside it too. */
export function schemaTable(schema: SchemaNode): string {
  const rows = fieldsIn(schema, '').map(({ name, schema: field, isRequired }) => [
    `<code>${html(name)}</code>${isRequired ? '' : ' <small>optional</small>'}`,
    kindOf(field),
    [html(field.description ?? ''), ...boundsOf(field)].filter(Boolean).join('. '),
  ]);
  return rows.length === 0 ? `<p>${kindOf(schema)}</p>` : table(['Field', 'Type', 'Meaning'], rows);
}

function fieldsIn({ properties = {}, required = [], items, oneOf, anyOf }: SchemaNode, prefix: string): Field[] {
  if (items !== undefined) return fieldsIn(items, `${prefix}[].`.replace('.[]', '[]'));
  const alternatives = oneOf ?? anyOf;
  if (alternatives !== undefined) {
    const all = alternatives.flatMap((one) => fieldsIn(one, prefix));
    return [...new Map(all.map((field) => [field.name, field])).values()];
  }
  return Object.entries(properties).flatMap(([name, schema]) => [
    { name: prefix + name, schema, isRequired: required.includes(name) },
    ...fieldsIn(schema, `${prefix}${name}.`),
  ]);
}

/** Returns what a value is limited to, as HTML. */
function boundsOf({ items, ...schema }: SchemaNode): string[] {
  if (items !== undefined && items.properties === undefined) return boundsOf(items);
  const { enum: values, 'x-extensible-enum': known, minimum, maximum, minLength, maxLength } = schema;
  const codes = (all: readonly unknown[]) => all.map((value) => `<code>${html(String(value))}</code>`).join(', ');
  // The largest number that JSON readers agree on is the limit of every number.
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  return [
    ...(values === undefined ? [] : [`One of ${codes(values)}`]),
    ...(known === undefined ? [] : [`One of ${codes(known)}; a later version may have more`]),
    ...(schema.const === undefined ? [] : [`Always ${codes([schema.const])}`]),
    ...(schema.format === undefined ? [] : [`Format ${html(schema.format)}`]),
    ...(minimum === undefined || minimum <= -Number.MAX_SAFE_INTEGER ? [] : [`At least ${minimum}`]),
    ...(most === undefined ? [] : [`At most ${most}`]),
    ...(minLength === undefined || maxLength === undefined ? [] : [`${minLength} to ${maxLength} characters`]),
  ];
}
