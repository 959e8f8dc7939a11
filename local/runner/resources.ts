/**
 * The resource types that the runner knows. A type that no service names is an error, and so is a property that its
 * type's shape does not name. So no part of the template is ignored in silence.
 */
import { readProperties, TemplateError } from '../cloudformation/template.ts';
import type { Identity, Resolver, Template } from '../cloudformation/template.ts';
import type { Assembly } from '../cloudformation/assembly.ts';
import type { Machine, Naming, ResourceType } from '../machine/machine.ts';
import { services } from './services.ts';

const types = new Map<string, ResourceType>(services.flatMap((service) => Object.entries(service.types)));

/** Types whose resources have no effect on callers and functions of this machine. They are not started. */
const cloudOnly = new Set([
  ...services.flatMap((service) => service.cloudOnly ?? []),
  'AWS::CDK::Metadata',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::Logs::LogGroup',
  'AWS::Logs::LogStream',
  'AWS::Logs::MetricFilter',
  'AWS::Logs::QueryDefinition',
  'AWS::WAFv2::WebACL',
  'AWS::WAFv2::WebACLAssociation',
]);

/** Returns the identity of a resource on this machine; undefined for one that exists only in the cloud. */
export function identifyResource(logicalId: string, template: Template, naming: Naming): Identity | undefined {
  return types.get(template.Resources[logicalId]?.Type ?? '')?.identify(logicalId, naming);
}

/** Throws TemplateError when the template has a resource of a type that the runner does not know. */
export function checkTypes(template: Template): void {
  for (const [logicalId, { Type }] of Object.entries(template.Resources)) {
    if (!types.has(Type) && !cloudOnly.has(Type)) {
      throw new TemplateError(`${logicalId}: resources of type ${Type} are not supported`);
    }
  }
}

/** Starts the template's resources of the `chosen` types, type by type. Throws TemplateError. */
export async function bootResources(
  machine: Machine,
  { template, asset }: Assembly,
  resolver: Resolver,
  naming: Naming,
  chosen: (type: string) => boolean,
): Promise<void> {
  for (const [type, { shape, identify, boot }] of types) {
    if (!chosen(type)) continue;
    for (const [logicalId, resource] of Object.entries(template.Resources)) {
      if (resource.Type !== type) continue;
      if (resource.Condition !== undefined && !resolver.condition(resource.Condition, logicalId)) continue;
      const properties = readProperties(shape, resource.Properties ?? {}, logicalId, resolver);
      const identity = identify(logicalId, naming);
      await boot?.(machine, { logicalId, identity, properties, asset: (key) => asset(key, logicalId) });
    }
  }
}
