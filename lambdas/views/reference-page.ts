/** The page with the reference of the API, made from its description. It has no script, and loads nothing. */
import { html, kindOf, schemaTable, table } from './reference-schemas.ts';
import type { SchemaNode } from './reference-schemas.ts';

/** The description of the API, as far as the page shows it. */
export interface ApiDescription {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, SchemaNode>>;
    readonly parameters: Readonly<Record<string, Parameter>>;
    readonly examples: Readonly<Record<string, { readonly summary?: string; readonly value: unknown }>>;
  };
}

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly (Parameter | { readonly $ref: string })[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description: string;
  readonly schema: SchemaNode;
}

type Content = Readonly<Record<string, { readonly schema: SchemaNode; readonly example?: unknown }>>;

interface NamedOperation extends Operation {
  readonly method: string;
  readonly path: string;
}

/** The style of the page. Colours follow the reader's settings. */
export const referenceStyle = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0 auto;max-width:64rem;padding:1rem}
a{color:LinkText}
code,pre{font-family:ui-monospace,monospace;font-size:.875em}
pre{overflow:auto;padding:.75rem;border:1px solid GrayText}
section{margin-block:2.5rem}
h3{overflow-wrap:anywhere}
nav ul{columns:20rem;padding-inline-start:1rem}
nav li{overflow-wrap:anywhere}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:start;vertical-align:top;padding:.375rem .75rem .375rem 0;border-bottom:1px solid GrayText}
td:first-child{white-space:nowrap}
:target{outline:2px solid LinkText;outline-offset:.5rem}`;

/** Returns the page as HTML. */
export function referencePage(document: ApiDescription): string {
  const { info, paths, components } = document;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
  const tags = [...Map.groupBy(operations, ({ tags: [tag = ''] }) => tag)];
  return `<!doctype html>
<html lang=en>
<meta charset=utf-8>
<meta name=viewport content="width=device-width">
<title>${html(info.title)}: reference</title>
<style>${referenceStyle}</style>
<main>
<h1>${html(info.title)}</h1>
<p>Version ${html(info.version)}. As a document for generators of clients: <a href=openapi.json>openapi.json</a>.
<p>${html(info.description)}
<nav aria-label=Contents><h2>Contents</h2>
${tags.map(([tag, ofTag]) => contentsOf(tag, ofTag)).join('\n')}
<h3>everything else</h3><ul><li><a href=#codes>Codes of refusals</a><li><a href=#schemas>Schemas</a></ul></nav>
${tags.map(([tag, ofTag]) => `<h2>${html(tag)}</h2>\n${ofTag.map((one) => sectionOf(one, components)).join('\n')}`).join('\n')}
<h2 id=codes>Codes of refusals</h2>
${codesTable(components.examples)}
<h2 id=schemas>Schemas</h2>
${Object.entries(components.schemas)
  .map(([name, schema]) => `<section id="${html(name)}"><h3>${html(name)}</h3>\n${schemaTable(schema)}</section>`)
  .join('\n')}
</main>
</html>
`;
}

function contentsOf(tag: string, operations: readonly NamedOperation[]): string {
  const links = operations.map(
    ({ operationId, method, path }) => `<li><a href="#${html(operationId)}">${method} ${html(path)}</a>`,
  );
  return `<h3>${html(tag)}</h3><ul>${links.join('')}</ul>`;
}

function sectionOf(operation: NamedOperation, { parameters }: ApiDescription['components']): string {
  const { operationId, method, path, description, requestBody, responses } = operation;
  const given = (operation.parameters ?? []).map((one) =>
    '$ref' in one ? parameters[one.$ref.split('/').at(-1) ?? ''] : one,
  );
  const rows = given.flatMap((one) => (one === undefined ? [] : [parameterRow(one)]));
  return `<section id="${html(operationId)}">
<h3>${method} <code>${html(path)}</code></h3>
<p>${html(description)}
<p>${accessOf(operation)}
${rows.length > 0 ? table(['Parameter', 'In', 'Type', 'Meaning'], rows) : ''}
${requestBody === undefined ? '' : `<h4>Body</h4>\n${contentList(requestBody.content)}`}
<h4>Answers</h4>
${table(
  ['Status', 'Meaning', 'Body'],
  Object.entries(responses).map(([status, { description: meaning, content = {} }]) => [
    status,
    html(meaning),
    kindsOf(content),
  ]),
)}
${examplesOf(responses)}</section>`;
}

function parameterRow({ name, in: place, required, description, schema }: Parameter): string[] {
  const optional = required === true ? '' : ' <small>optional</small>';
  return [`<code>${html(name)}</code>${optional}`, html(place), kindOf(schema), html(description)];
}

/** Returns who may call the route. */
function accessOf({ security }: Operation): string {
  const scopes = new Set(security.flatMap(({ token = [] }) => token));
  const isOpen = security.some((alternative) => Object.keys(alternative).length === 0);
  if (scopes.size === 0) return isOpen ? 'Open to every caller.' : 'Signed by the bank.';
  const list = [...scopes].map((scope) => `<code>${html(scope)}</code>`).join(' or ');
  return isOpen ? `Open to every caller. More with a token that has ${list}.` : `A token with ${list}.`;
}

function kindsOf(content: Content): string {
  return Object.entries(content)
    .map(([type, { schema }]) => (type === 'application/json' ? '' : `${html(type)}: `) + kindOf(schema))
    .join('<br>');
}

function contentList(content: Content): string {
  const examples = Object.values(content).map(({ example }) => exampleOf('Example of a body', example));
  return `<p>${kindsOf(content)}</p>${examples.join('')}`;
}

/** Returns the example of the first answer that has one. */
function examplesOf(responses: Operation['responses']): string {
  const found = Object.entries(responses).flatMap(([status, { content = {} }]) =>
    Object.values(content).flatMap(({ example }) => (example === undefined ? [] : [{ status, example }])),
  );
  const [first] = found;
  return first === undefined ? '' : exampleOf(`Example of an answer with ${first.status}`, first.example);
}

function exampleOf(title: string, example: unknown): string {
  if (example === undefined) return '';
  const text = typeof example === 'string' ? example : JSON.stringify(example, undefined, 2);
  return `<details><summary>${title}</summary><pre tabindex=0>${html(text).replaceAll('`', '')}</pre></details>\n`;
}

function codesTable(examples: ApiDescription['components']['examples']): string {
  const rows = Object.entries(examples).map(([code, { value }]) => {
    const { status, title } = value as { readonly status: number; readonly title: string };
    return [`<code>${html(code)}</code>`, String(status), html(title)];
  });
  return table(['Code', 'Status', 'Meaning'], rows);
}
