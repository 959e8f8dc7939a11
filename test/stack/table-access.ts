/** The template's grants to each function on the items of tables. */
import type { FunctionName } from '../../lambdas/contract.ts';
import { itemTypes } from '../item-types.ts';
import { resourcesOf, roleOf, statementsOf } from './synthesized.ts';
import type { Statement, synthesize } from './synthesized.ts';

/**
 * Returns the access of a function, sorted: `<action> <item type>`, `Query index <name>`, or `<action> everything`
 * where no condition limits the items.
 */
export function accessOf({ template, stack }: ReturnType<typeof synthesize>): (name: FunctionName) => string[] {
  const lambdas = resourcesOf(template, 'AWS::Lambda::Function');
  return (name) => {
    const {
      'Fn::GetAtt': [logicalId],
    } = stack.resolve(stack.service.functions[name]?.functionArn) as {
      'Fn::GetAtt': [string, string];
    };
    const statements = statementsOf(template, roleOf(lambdas.get(logicalId)!.Properties));
    return [...new Set(statements.flatMap(accesses))].sort();
  };
}

function accesses({ Action, Resource, Condition }: Statement): string[] {
  const actions = [Action].flat().filter((action) => /^dynamodb:(?!.*(Stream|Records|ShardIterator))/.test(action));
  const index = JSON.stringify(Resource).matchAll(/\/index\/(\w+)/g);
  const indexes = [...index].map(([, name]) => `index ${name!}`);
  const keys = Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'];
  const types = keys === undefined ? ['everything'] : [keys].flat().map(typeOf);
  return actions.flatMap((action) =>
    (indexes.length > 0 ? indexes : types).map((what) => `${action.slice('dynamodb:'.length)} ${what}`),
  );
}

function typeOf(pattern: string): string {
  const [type] = itemTypes.find(([, prefix]) => pattern === `${prefix}*`) ?? [];
  if (type === undefined) throw new Error(`a grant on items of no type: ${pattern}`);
  return type;
}
