/** Event patterns as EventBridge rules and event source filters write them. An operator it does not know is an error. */
import { isRecord, TemplateError } from '../cloudformation/template.ts';

export type Matches = (event: unknown) => boolean;
/** A function that judges one value of an event; `undefined` for a field that is missing. */
type Test = (value: unknown) => boolean;

/** Throws TemplateError for a pattern that this machine would read differently from the cloud. */
export function compilePattern(pattern: unknown, where: string): Matches {
  if (!isRecord(pattern) || Object.keys(pattern).length === 0) {
    throw new TemplateError(`${where}: expected an event pattern, got ${JSON.stringify(pattern)}`);
  }
  const tests = Object.entries(pattern).map(([field, inner]): Matches => {
    if (field === '$or') {
      if (!Array.isArray(inner)) throw new TemplateError(`${where}: $or takes a list of patterns`);
      const choices = inner.map((choice, index) => compilePattern(choice, `${where}.$or[${index}]`));
      return (event) => choices.some((matches) => matches(event));
    }
    if (Array.isArray(inner)) {
      const anyOf = inner.map((condition) => compileCondition(condition, `${where}.${field}`));
      return (event) => {
        const values = valuesOf(event, field);
        return anyOf.some((test) => values.some(test));
      };
    }
    const matches = compilePattern(inner, `${where}.${field}`);
    // A list of objects matches when one of them does.
    return (event) => valuesOf(event, field).some(matches);
  });
  return (event) => tests.every((matches) => matches(event));
}

function valuesOf(event: unknown, field: string): unknown[] {
  const value = isRecord(event) ? event[field] : undefined;
  if (!Array.isArray(value)) return [value];
  return value.length > 0 ? value : [undefined];
}

function compileCondition(condition: unknown, where: string): Test {
  if (!isRecord(condition)) {
    if (condition === null || ['string', 'number', 'boolean'].includes(typeof condition)) {
      return (value) => value === condition;
    }
    throw new TemplateError(`${where}: ${JSON.stringify(condition)} is not a value to match`);
  }
  const [operator = '', ...more] = Object.keys(condition);
  const compile = operators[operator];
  if (!compile || more.length > 0) {
    throw new TemplateError(`${where}: the pattern ${JSON.stringify(condition)} is not supported`);
  }
  return compile(condition[operator], where);
}

const operators: Record<string, (operand: unknown, where: string) => Test> = {
  exists(operand, where) {
    if (typeof operand !== 'boolean') throw new TemplateError(`${where}: exists takes true or false`);
    return (value) => (value !== undefined) === operand;
  },
  prefix: (operand, where) => affix('startsWith', operand, where),
  suffix: (operand, where) => affix('endsWith', operand, where),
  'equals-ignore-case'(operand, where) {
    const wanted = text(operand, where).toLowerCase();
    return (value) => typeof value === 'string' && value.toLowerCase() === wanted;
  },
  numeric(operand, where) {
    const list: unknown[] = Array.isArray(operand) ? operand : [];
    const limits = list.flatMap((item, index) => (index % 2 === 0 ? [[item, list[index + 1]] as const] : []));
    const tests = limits.map(([name, limit]) => {
      const compare = comparisons[String(name)];
      if (!compare || typeof limit !== 'number') {
        throw new TemplateError(`${where}: numeric ${JSON.stringify(operand)} is not supported`);
      }
      return (value: number) => compare(value, limit);
    });
    if (tests.length === 0) throw new TemplateError(`${where}: numeric takes comparisons`);
    return (value) => typeof value === 'number' && tests.every((test) => test(value));
  },
  'anything-but'(operand, where) {
    const excluded: unknown[] = Array.isArray(operand) ? operand : [operand];
    const tests = excluded.map((condition) => compileCondition(condition, where));
    return (value) => value !== undefined && !tests.some((test) => test(value));
  },
  wildcard(operand, where) {
    const literal = text(operand, where).replace(/[.+?^${}()|[\]\\]/g, '\\$&');
    const expression = new RegExp(`^${literal.replaceAll('*', '.*')}$`, 's');
    return (value) => typeof value === 'string' && expression.test(value);
  },
};

const comparisons: Record<string, (value: number, limit: number) => boolean> = {
  '=': (value, limit) => value === limit,
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
};

function affix(method: 'startsWith' | 'endsWith', operand: unknown, where: string): Test {
  if (isRecord(operand)) {
    const wanted = text(operand['equals-ignore-case'], where).toLowerCase();
    return (value) => typeof value === 'string' && value.toLowerCase()[method](wanted);
  }
  const wanted = text(operand, where);
  return (value) => typeof value === 'string' && value[method](wanted);
}

function text(operand: unknown, where: string): string {
  if (typeof operand === 'string') return operand;
  throw new TemplateError(`${where}: expected a string in the pattern, got ${JSON.stringify(operand)}`);
}
