/** Writes the types of the client from the description of the HTTP API. */
import openapiTypescript, { astToString } from 'openapi-typescript';

const header = `// Written by \`npm run schemas\` from docs/openapi.json: do not edit.
`;

/** A list of values that a later version of the service may make longer. */
const openList = 'x-extensible-enum';

/** The members of a description that types need. */
interface Described {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>>; readonly parameters: object };
}

interface Operation {
  readonly responses: Readonly<Record<string, object>>;
}

interface Schema {
  readonly properties?: Readonly<Record<string, { readonly [openList]?: readonly string[] }>>;
}

/**
 * Returns the types of all routes, as TypeScript. Refusals are thrown as errors of one type, so the types have only the
 * answers that are none.
 */
export async function clientTypes(document: object): Promise<string> {
  const { openapi, info, paths, components } = withoutExamples(document);
  const wanted = {
    ...{ openapi, info },
    paths: mapValues(paths, (methods) => mapValues(methods, withoutRefusals)),
    components: { schemas: components.schemas, parameters: components.parameters },
  };
  const types = await openapiTypescript(JSON.stringify(wanted));
  return `${header}${astToString(types)}${knownValues(components.schemas)}`;
}

/** Returns a copy without examples, and with the values of open lists in their descriptions. */
function withoutExamples(document: object): Described {
  return JSON.parse(
    JSON.stringify(document, (name, value: unknown) => {
      if (/^examples?$/.test(name)) return undefined;
      const values = typeof value === 'object' && value !== null && openList in value ? value[openList] : undefined;
      if (!Array.isArray(values)) return value;
      const { description } = value as { readonly description?: string };
      return { ...(value as object), description: [description, `Known: ${values.join(', ')}`].join('. ') };
    }),
  ) as Described;
}

/** Returns an operation with the answers that are no refusals, and without headers, which no type needs. */
function withoutRefusals(operation: Operation): Operation {
  const answers = Object.entries(operation.responses).filter(([status]) => Number(status) < 400);
  return { ...operation, responses: mapValues(Object.fromEntries(answers), (answer) => ({ ...answer, headers: {} })) };
}

/** Returns a type with the known values of each open list, by schema and property. */
function knownValues(schemas: Described['components']['schemas']): string {
  const lines = Object.entries(schemas).flatMap(([schema, { properties = {} }]) => {
    const lists = Object.entries(properties).flatMap(([property, { [openList]: values }]) =>
      values === undefined ? [] : [`        ${property}: ${values.map((value) => `"${value}"`).join(' | ')};`],
    );
    return lists.length === 0 ? [] : [`    ${schema}: {`, ...lists, '    };'];
  });
  return ['/** The values that a text may have in this version. A later one may have more. */']
    .concat('export interface KnownValues {', lines, '}', '')
    .join('\n');
}

function mapValues<A, B>(object: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value)]));
}
