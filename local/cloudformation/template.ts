/**
 * Reads CloudFormation templates: resolves intrinsic functions, and refuses every property that the runner does not know,
 * so that a template never means one thing here and another in the cloud.
 */

/** A template that this machine cannot run as the cloud would. The message names the logical id and the reason. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

export interface Resource {
  readonly Type: string;
  readonly Properties?: Record<string, unknown>;
  readonly Condition?: string;
}

export interface Template {
  readonly Parameters?: Record<string, { readonly Type: string; readonly Default?: string | number }>;
  readonly Mappings?: Record<string, Record<string, Record<string, unknown>>>;
  readonly Conditions?: Record<string, unknown>;
  readonly Resources: Record<string, Resource>;
  readonly Outputs?: Record<string, { readonly Value: unknown }>;
}

/** The values of `Ref` and `Fn::GetAtt` for one resource. */
export interface Identity {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ResolverOptions {
  readonly template: Template;
  /** Values of template parameters, by name; one that the template does not declare is an error. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Values of pseudo parameters, by name (`AWS::Region`). */
  readonly pseudo: Readonly<Record<string, string>>;
  /** Returns the identity of a resource on this machine; undefined for a type that only exists in the cloud. */
  readonly identify: (logicalId: string) => Identity | undefined;
}

export interface Resolver {
  /** Returns the value without intrinsics. `where` names its place in errors. Throws TemplateError. */
  resolve(value: unknown, where: string): unknown;
  /** Returns whether the template's condition of that name holds. */
  condition(name: string, where: string): boolean;
}

const noValue = Symbol('AWS::NoValue');

/** Throws TemplateError for a parameter that the template does not declare. */
export function createResolver(options: ResolverOptions): Resolver {
  for (const name of Object.keys(options.parameters)) {
    if (!options.template.Parameters?.[name]) throw new TemplateError(`the template has no parameter ${name}`);
  }
  return new TemplateResolver(options);
}

class TemplateResolver implements Resolver {
  readonly #options: ResolverOptions;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  resolve(value: unknown, where: string): unknown {
    if (Array.isArray(value)) return value.map((item) => this.resolve(item, where)).filter((item) => item !== noValue);
    if (!isRecord(value)) return value;
    const keys = Object.keys(value);
    const [only] = keys;
    if (keys.length === 1 && only !== undefined && isIntrinsic(only)) {
      const intrinsic = this.#intrinsics[only];
      if (!intrinsic) throw new TemplateError(`${where}: ${only} is not supported`);
      return intrinsic(value[only], where);
    }
    const resolved = Object.entries(value).map(([key, item]) => [key, this.resolve(item, `${where}.${key}`)] as const);
    return Object.fromEntries(resolved.filter(([, item]) => item !== noValue));
  }

  condition(name: string, where: string): boolean {
    const expression = this.#options.template.Conditions?.[name];
    if (expression === undefined) throw new TemplateError(`${where}: condition ${name} is not in the template`);
    return this.#truth(expression, `Conditions.${name}`);
  }

  readonly #intrinsics: Readonly<Record<string, (argument: unknown, where: string) => unknown>> = {
    Ref: (argument, where) => this.#ref(String(argument), where),
    'Fn::GetAtt': (argument, where) => {
      const [logicalId = '', ...names] = Array.isArray(argument) ? argument.map(String) : String(argument).split('.');
      return this.#attribute(logicalId, names.join('.'), where);
    },
    'Fn::Join': (argument, where) => {
      const [separator, parts] = tuple(argument, 2, where);
      return this.#list(parts, where)
        .map((part) => this.#text(part, where))
        .join(this.#text(separator, where));
    },
    'Fn::Sub': (argument, where) => this.#substitute(argument, where),
    'Fn::Select': (argument, where) => {
      const [index, from] = tuple(argument, 2, where);
      const chosen = this.#list(from, where)[Number(this.#text(index, where))];
      if (chosen === undefined) throw new TemplateError(`${where}: Fn::Select outside of its list`);
      return chosen;
    },
    'Fn::Split': (argument, where) => {
      const [separator, source] = tuple(argument, 2, where);
      return this.#text(source, where).split(this.#text(separator, where));
    },
    'Fn::FindInMap': (argument, where) => {
      const [map, top, second] = tuple(argument, 3, where).map((part) => this.#text(part, where));
      const found = this.#options.template.Mappings?.[map ?? '']?.[top ?? '']?.[second ?? ''];
      if (found === undefined) throw new TemplateError(`${where}: mapping ${map} has no ${top}.${second}`);
      return found;
    },
    'Fn::If': (argument, where) => {
      const [name, yes, no] = tuple(argument, 3, where);
      return this.resolve(this.condition(String(name), where) ? yes : no, where);
    },
    'Fn::Equals': (argument, where) => {
      const [left, right] = tuple(argument, 2, where);
      return this.#text(left, where) === this.#text(right, where);
    },
    'Fn::Not': (argument, where) => !this.#truth(tuple(argument, 1, where)[0], where),
    'Fn::And': (argument, where) => Array.isArray(argument) && argument.every((item) => this.#truth(item, where)),
    'Fn::Or': (argument, where) => Array.isArray(argument) && argument.some((item) => this.#truth(item, where)),
  };

  #ref(name: string, where: string): unknown {
    if (name === 'AWS::NoValue') return noValue;
    return this.#options.pseudo[name] ?? this.#parameter(name, where) ?? this.#identity(name, where).ref;
  }

  /** Returns undefined for a name that is not a parameter. */
  #parameter(name: string, where: string): unknown {
    const declared = this.#options.template.Parameters?.[name];
    if (!declared) return undefined;
    if (declared.Type.startsWith('AWS::SSM::')) {
      throw new TemplateError(`${where}: parameter ${name} of type ${declared.Type} is not supported`);
    }
    const value = this.#options.parameters[name] ?? declared.Default;
    if (value === undefined) throw new TemplateError(`${where}: parameter ${name} has no value and no default`);
    const text = String(value);
    const isList = declared.Type === 'CommaDelimitedList' || declared.Type.startsWith('List<');
    return isList ? text.split(',').map((item) => item.trim()) : text;
  }

  #identity(logicalId: string, where: string): Identity {
    const { template, identify } = this.#options;
    const resource = template.Resources[logicalId];
    if (!resource) throw new TemplateError(`${where}: refers to ${logicalId}, which is not in the template`);
    const found = identify(logicalId);
    if (!found) {
      throw new TemplateError(`${where}: refers to ${logicalId} (${resource.Type}), which exists in the cloud only`);
    }
    return found;
  }

  #attribute(logicalId: string, name: string, where: string): string {
    const value = this.#identity(logicalId, where).attributes[name];
    if (value === undefined) {
      const type = this.#options.template.Resources[logicalId]?.Type ?? 'unknown';
      throw new TemplateError(`${where}: attribute ${name} of ${logicalId} (${type}) is not supported`);
    }
    return value;
  }

  #substitute(argument: unknown, where: string): string {
    const [format, variables] = typeof argument === 'string' ? [argument, {}] : tuple(argument, 2, where);
    if (typeof format !== 'string' || !isRecord(variables)) throw new TemplateError(`${where}: malformed Fn::Sub`);
    return format.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      if (name in variables) return this.#text(variables[name], where);
      const [logicalId = '', ...rest] = name.split('.');
      if (rest.length > 0) return this.#attribute(logicalId, rest.join('.'), where);
      return this.#text({ Ref: name }, where);
    });
  }

  #text(value: unknown, where: string): string {
    const resolved = this.resolve(value, where);
    if (typeof resolved === 'string') return resolved;
    if (typeof resolved === 'number' || typeof resolved === 'boolean') return String(resolved);
    throw new TemplateError(`${where}: expected a string, got ${JSON.stringify(resolved)}`);
  }

  #list(value: unknown, where: string): unknown[] {
    const resolved = this.resolve(value, where);
    if (Array.isArray(resolved)) return resolved;
    throw new TemplateError(`${where}: expected a list, got ${JSON.stringify(resolved)}`);
  }

  #truth(value: unknown, where: string): boolean {
    if (isRecord(value) && typeof value['Condition'] === 'string') return this.condition(value['Condition'], where);
    const resolved = this.resolve(value, where);
    if (typeof resolved === 'boolean') return resolved;
    throw new TemplateError(`${where}: expected a condition, got ${JSON.stringify(value)}`);
  }
}

function tuple(value: unknown, length: number, where: string): readonly unknown[] {
  if (Array.isArray(value) && value.length === length) return value;
  throw new TemplateError(`${where}: expected ${length} arguments, got ${JSON.stringify(value)}`);
}

/**
 * The properties of a resource that the runner understands. `true` is read as a whole; `'cloud'` changes nothing that
 * can be seen on one machine. `only` is read and must have one of the values. An object is a structure, and a list of
 * one shape is a list of such values. Any other property is an error.
 */
export type Shape = true | 'cloud' | { readonly only: readonly unknown[] } | readonly [Shape] | ShapeMap;
export interface ShapeMap {
  readonly [property: string]: Shape;
}

/** Returns the part of `value` that the runner reads, resolved. Throws TemplateError for a property that `shape` lacks. */
export function readProperties(shape: Shape, value: unknown, where: string, resolver: Resolver): unknown {
  if (shape === true) return resolver.resolve(value, where);
  if (isList(shape)) {
    const list = Array.isArray(value) ? value : resolver.resolve(value, where);
    if (!Array.isArray(list)) throw new TemplateError(`${where}: expected a list, got ${JSON.stringify(value)}`);
    return list.map((item, index) => readProperties(shape[0], item, `${where}[${index}]`, resolver));
  }
  if (isOnly(shape)) {
    const resolved = resolver.resolve(value, where);
    if (shape.only.includes(resolved)) return resolved;
    throw new TemplateError(`${where}: ${JSON.stringify(resolved)} is not supported`);
  }
  const structure = isRecord(value) && Object.keys(value).some(isIntrinsic) ? resolver.resolve(value, where) : value;
  if (!isRecord(structure)) throw new TemplateError(`${where}: expected an object, got ${JSON.stringify(value)}`);
  const read: Record<string, unknown> = {};
  for (const [property, item] of Object.entries(structure)) {
    const inner = (shape as ShapeMap)[property];
    if (inner === undefined) throw new TemplateError(`${where}: property ${property} is not supported`);
    if (inner === 'cloud') continue;
    const value = readProperties(inner, item, `${where}.${property}`, resolver);
    if (value !== noValue) read[property] = value;
  }
  return read;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isIntrinsic = (key: string): boolean => key === 'Ref' || key.startsWith('Fn::');
const isList = (shape: Shape): shape is readonly [Shape] => Array.isArray(shape);
const isOnly = (shape: Shape): shape is { readonly only: readonly unknown[] } =>
  typeof shape === 'object' && 'only' in shape;
