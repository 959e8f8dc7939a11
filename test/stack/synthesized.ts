import { Template } from 'aws-cdk-lib/assertions';
import assert from 'node:assert/strict';
import { newApp } from '../../lib/app.ts';
import { WalletStack } from '../../lib/wallet-stack.ts';
import type { WalletStackProps } from '../../lib/wallet-stack.ts';

/** A resource of a synthesized template. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly UpdatePolicy?: Record<string, unknown>;
  readonly DependsOn?: string | readonly string[];
}

/** Synthesizes the stack under test. Returns it with its template. */
export function synthesize(props: WalletStackProps = {}): { stack: WalletStack; template: Template } {
  const stack = new WalletStack(newApp({ builtinCloudFormationValidation: false }), 'Wallet', props);
  return { stack, template: Template.fromStack(stack) };
}

/** Returns all resources of a type, by logical id. */
export function resourcesOf(template: Template, type: string): Map<string, Resource> {
  return new Map(Object.entries(template.findResources(type)) as [string, Resource][]);
}

/** A statement of a policy. */
export interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | string[]>>>>;
}

interface WithStatements {
  readonly PolicyDocument: { readonly Statement: Statement[] };
}

/** Returns the logical id of a function's role. */
export function roleOf(functionProperties: Record<string, unknown>): string {
  return (functionProperties['Role'] as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0];
}

/** Returns the statements of a role: those in its own resource, and those of policies that name it. */
export function statementsOf(template: Template, roleId: string): Statement[] {
  const own = resourcesOf(template, 'AWS::IAM::Role').get(roleId)?.Properties['Policies'] ?? [];
  const attached = [...resourcesOf(template, 'AWS::IAM::Policy').values()]
    .map(({ Properties }) => Properties)
    .filter(({ Roles }) => (Roles as { Ref: string }[]).some(({ Ref }) => Ref === roleId));
  return ([...(own as object[]), ...attached] as WithStatements[]).flatMap(
    ({ PolicyDocument: { Statement: statements } }) => statements,
  );
}

/** Returns the only resource of a type. Fails unless there is exactly one. */
export function theOnly(template: Template, type: string): [logicalId: string, resource: Resource] {
  const [first, ...others] = resourcesOf(template, type);
  assert.ok(first, `no ${type}`);
  assert.equal(others.length, 0, `more than one ${type}`);
  return first;
}
