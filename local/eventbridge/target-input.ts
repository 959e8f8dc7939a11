/** The input of a rule's target: the whole event, a constant, a part of the event, or a filled-in template. */
import { isRecord, TemplateError } from '../cloudformation/template.ts';
import type { BusEvent } from './event-buses.ts';

export interface TargetInput {
  readonly Input?: string;
  readonly InputPath?: string;
  readonly InputTransformer?: {
    readonly InputPathsMap?: Readonly<Record<string, string>>;
    readonly InputTemplate: string;
  };
}

/** Throws TemplateError for a path or a variable that this machine would read differently from the cloud. */
export function compileInput(input: TargetInput, rule: { arn: string; name: string }, where: string) {
  const { Input: constant, InputPath: path, InputTransformer: transformer } = input;
  if (constant !== undefined) return (): string => constant;
  if (path !== undefined) {
    const read = compilePath(path, where);
    return (event: BusEvent): string => JSON.stringify(read(event) ?? null);
  }
  if (!transformer) return (event: BusEvent): string => JSON.stringify(event);
  const variables: Record<string, (event: BusEvent) => unknown> = {
    'aws.events.rule-arn': () => rule.arn,
    'aws.events.rule-name': () => rule.name,
    'aws.events.event.ingestion-time': (event) => event.time,
    'aws.events.event.json': (event) => event,
    'aws.events.event': ({ detail: _, ...event }) => event,
  };
  for (const [name, of] of Object.entries(transformer.InputPathsMap ?? {})) variables[name] = compilePath(of, where);
  const parts = transformer.InputTemplate.split(/<([A-Za-z0-9_.-]+)>/);
  for (const [index, name] of parts.entries()) {
    if (index % 2 === 1 && !variables[name]) throw new TemplateError(`${where}: variable <${name}> is not supported`);
  }
  return (event: BusEvent): string => {
    let quoted = false;
    return parts
      .map((part, index) => {
        if (index % 2 === 0) {
          quoted = quoted !== ((part.match(/(?<!\\)"/g)?.length ?? 0) % 2 === 1);
          return part;
        }
        // Inside of quotes a value is text; outside it is JSON of its own.
        const value = variables[part]?.(event);
        if (!quoted) return value === undefined ? '' : JSON.stringify(value);
        return JSON.stringify(typeof value === 'string' ? value : JSON.stringify(value ?? '')).slice(1, -1);
      })
      .join('');
  };
}

function compilePath(path: string, where: string): (event: unknown) => unknown {
  if (!/^\$(\.[A-Za-z0-9_-]+)*$/.test(path)) throw new TemplateError(`${where}: the path ${path} is not supported`);
  const fields = path.split('.').slice(1);
  return (event) => fields.reduce((value, field) => (isRecord(value) ? value[field] : undefined), event);
}
