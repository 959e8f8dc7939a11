/** The part of CloudWatch's metric math that this service's alarms use. Any other function is an error. */

/** Values of the metrics of an expression in one period, by id; undefined: the metric has no point there. */
export type Values = Readonly<Record<string, number | undefined>>;

/**
 * Returns the value of an expression in one period; undefined when it has no point. A missing operand leaves no point. `SUM`
 * of all metrics adds those that have a point.
 */
export function valueOf(expression: string, values: Values): number | undefined {
  const tokens = expression.match(/>=|<=|[<>+\-*/(),]|[A-Za-z_]\w*|[\d.]+/g) ?? [];
  const rest = [...tokens];
  const take = (expected?: string): string => {
    const token = rest.shift();
    if (token === undefined || (expected !== undefined && token !== expected)) {
      throw new Error(`"${expression}" is not understood at "${token}"`);
    }
    return token;
  };

  /** Parses operands that are joined by these operators, and applies them from left to right. */
  const joined = (operand: () => Operand, operators: Operators) => (): Operand => {
    let left = operand();
    for (let operator = operators[rest[0] ?? '']; operator !== undefined; operator = operators[rest[0] ?? '']) {
      take();
      const right = operand();
      left = left === undefined || right === undefined ? undefined : operator(left, right);
    }
    return left;
  };

  const factor = (): Operand => {
    const token = take();
    if (token === '(') {
      const value = condition();
      take(')');
      return value;
    }
    if (/^[\d.]/.test(token)) return Number(token);
    if (rest[0] !== '(') {
      if (!(token in values)) throw new Error(`"${expression}" has no metric "${token}"`);
      return values[token];
    }
    return call(token);
  };

  const call = (name: string): Operand => {
    take('(');
    if (name === 'SUM') {
      for (const token of ['METRICS', '(', ')', ')']) take(token);
      const known = Object.values(values).filter((value) => value !== undefined);
      return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
    }
    if (name !== 'IF') throw new Error(`the function ${name} is not known here`);
    const [test, , yes, , no] = [condition(), take(','), condition(), take(','), condition()];
    take(')');
    return test === undefined ? undefined : test === 0 ? no : yes;
  };

  const sum = joined(joined(factor, products), sums);
  const condition = joined(joined(joined(sum, comparisons), conjunction), disjunction);
  const value = condition();
  if (rest.length > 0) throw new Error(`"${expression}" is not understood at "${rest[0]}"`);
  return value;
}

type Operand = number | undefined;
type Operators = Readonly<Record<string, ((left: number, right: number) => number) | undefined>>;

const products: Operators = { '*': (a, b) => a * b, '/': (a, b) => a / b };
const sums: Operators = { '+': (a, b) => a + b, '-': (a, b) => a - b };
const comparisons: Operators = {
  '>=': (a, b) => Number(a >= b),
  '<=': (a, b) => Number(a <= b),
  '>': (a, b) => Number(a > b),
  '<': (a, b) => Number(a < b),
};
const conjunction: Operators = { AND: (a, b) => Number(a !== 0 && b !== 0) };
const disjunction: Operators = { OR: (a, b) => Number(a !== 0 || b !== 0) };
